import { Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { graphStore } from './graph/store.ts';
import { NOWHERE, PAGES } from './pages.ts';
import { Icon } from './parts/icon.tsx';
import { address, useRoute } from './route.ts';
import { applyTheme, storedTheme, THEMES } from './theme.ts';

export function App(): React.JSX.Element {
  const { page } = useRoute();
  const shown = PAGES.find(({ name }) => name === page) ?? NOWHERE;
  useEffect(() => {
    document.title = `${shown.title} · Mizzen`;
    // Of a menu that is wider than the window.
    document.querySelector('.rail [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [shown.title]);
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={skip}>
        Skip to the page
      </a>
      <nav className="rail" aria-label="Pages">
        <span className="brand" aria-hidden="true">
          <img src="/favicon.svg" alt="" width="28" height="28" />
        </span>
        {PAGES.filter(({ under }) => under === undefined).map(({ name, title, icon }) => (
          <a key={name} href={address(name)} aria-current={name === (shown.under ?? shown.name) ? 'page' : undefined}>
            <Icon name={icon} />
            {title}
          </a>
        ))}
        <span className="spring" />
        <Connection />
        <ThemeSwitch />
      </nav>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<p className="empty">Loading…</p>}>
          <shown.component />
        </Suspense>
      </main>
    </div>
  );
}

/** The address after `#` names a page, so the link cannot lead there by itself. */
function skip(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Mesh not reached' } as const;

function Connection(): React.JSX.Element {
  const { connection } = useSyncExternalStore(graphStore.subscribe, graphStore.state);
  return (
    <span className={`connection ${connection}`} role="status">
      <span className="dot" aria-hidden="true" />
      {WORDS[connection]}
    </span>
  );
}

const THEME_NAMES = { system: 'Auto', light: 'Light', dark: 'Dark' } as const;

function ThemeSwitch(): React.JSX.Element {
  const [theme, setTheme] = useState(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <button
      type="button"
      className="rail-button"
      onClick={() => {
        applyTheme(next);
        setTheme(next);
      }}
      aria-label={`${THEME_NAMES[theme]} theme. Change to ${next}`}
    >
      <Icon name={theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'half'} />
      {THEME_NAMES[theme]}
    </button>
  );
}
