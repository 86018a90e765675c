/** What a place's weather is, as every provider answers. */
export interface Weather {
  readonly city: string;
  readonly temperature_c: number;
  readonly humidity_percent: number;
  readonly wind_kph: number;
  readonly condition: string;
}

export interface Provider {
  readonly name: string;
  weather(city: string, headers: Readonly<Record<string, string>>): Promise<Weather>;
}

const CONDITIONS = ['Clear', 'Partly cloudy', 'Cloudy', 'Light rain', 'Rain', 'Fog'] as const;

/**
 * Weather without a network: made up, but plausible and steady. The same city has the same weather for the whole hour, warmer
 * in July than in January and at noon than at night.
 */
export function offline(now: () => Date): Provider {
  return {
    name: 'offline',
    weather(city) {
      const date = now();
      const chance = (salt: string): number => hash(`${city.toLowerCase()}/${date.toISOString().slice(0, 13)}/${salt}`);
      const season = -Math.cos(((date.getUTCMonth() + date.getUTCDate() / 31) / 12) * 2 * Math.PI);
      const day = -Math.cos((date.getUTCHours() / 24) * 2 * Math.PI);
      const temperature = 12 + 9 * season + 4 * day + 6 * (chance('temperature') - 0.5);
      return Promise.resolve({
        city,
        temperature_c: Math.round(temperature * 10) / 10,
        humidity_percent: 40 + Math.floor(chance('humidity') * 50),
        wind_kph: Math.floor(chance('wind') * 40),
        condition: CONDITIONS[Math.floor(chance('condition') * CONDITIONS.length)] ?? 'Clear',
      });
    },
  };
}

/** FNV-1a, as a fraction of 1. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  // The low bits of short texts are alike; the finish of MurmurHash3 spreads them.
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b) >>> 0;
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35) >>> 0;
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

/** wttr.in, in its format `j1`. It is asked in plain text: the mesh makes TLS of it on the way out (mesh/egress.yaml). */
export function wttr(baseUrl: string, timeoutMs: number): Provider {
  return {
    name: 'wttr.in',
    async weather(city, headers) {
      const url = new URL(`/${encodeURIComponent(city)}?format=j1`, baseUrl);
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
      if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
      return current(city, await response.json());
    },
  };
}

/** Numbers are texts in that format. */
function current(city: string, body: unknown): Weather {
  const now = (body as { current_condition?: readonly Record<string, unknown>[] } | null)?.current_condition?.[0];
  const number = (name: string): number => {
    const value = Number(now?.[name] ?? Number.NaN);
    if (Number.isFinite(value)) return value;
    throw new Error(`wttr.in sent no ${name}`);
  };
  const description = now?.['weatherDesc'] as readonly { readonly value?: string }[] | undefined;
  return {
    city,
    temperature_c: number('temp_C'),
    humidity_percent: number('humidity'),
    wind_kph: number('windspeedKmph'),
    condition: (description?.[0]?.value ?? 'unknown').trim(),
  };
}
