const PATHS = {
  graph: 'M5 6.5a2 2 0 1 0 0-.1M15 4.5a2 2 0 1 0 0-.1M15 15.5a2 2 0 1 0 0-.1M7 6l6-1.4M6.6 7.6l7 6.6',
  workloads: 'M3 4h14v4H3zM3 12h14v4H3zM6 6h.1M6 14h.1',
  certificate: 'M10 3l6 2.5v4c0 4-2.6 6.4-6 7.5-3.400-1.100-6-3.500-6-7.500v-4zM7.500 10l2 2 3.500-4',
  logs: 'M4 5h12M4 9h8M4 13h12M4 17h6',
  proxies: 'M7 7h6v6H7zM3 10h4M13 10h4M10 3v4M10 13v4',
  services: 'M10 3l6 3.500v7L10 17l-6-3.500v-7zM4 6.500l6 3.500 6-3.500M10 10v7',
  traffic: 'M3 7h10M10 4l3 3-3 3M17 13H7M10 10l-3 3 3 3',
  config: 'M5 3h7l4 4v10H5zM12 3v4h4M8 11h5M8 14h5',
  traces: 'M3 5h11M6 9h8M9 13h8M12 17h5',
  lock: 'M6 9V7a4 4 0 0 1 8 0v2M5 9h10v8H5z',
  sun: 'M10 6.500a3.500 3.500 0 1 0 .1 0M10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600L16 16M16 4l-1.400 1.400M5.400 14.600L4 16',
  moon: 'M15.500 12A6.500 6.500 0 0 1 8 4.500a6.500 6.500 0 1 0 7.500 7.500z',
  half: 'M10 3a7 7 0 1 0 .1 0M10 3v14',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): React.JSX.Element {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
