export type Theme = 'system' | 'light' | 'dark';
const KEY = 'mizzen-theme';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function storedTheme(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === value) ?? 'system';
}

export function applyTheme(theme: Theme): void {
  const { documentElement } = document;
  if (theme === 'system') documentElement.removeAttribute('data-theme');
  else documentElement.setAttribute('data-theme', theme);
  localStorage.setItem(KEY, theme);
}
