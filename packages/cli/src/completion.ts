/** Command (perhaps of two words, as `x xds`) → its flags. */
export type Words = Readonly<Record<string, readonly string[]>>;

/** First words of commands, each once. */
function firstWords(words: Words): string {
  return ['help', ...new Set(Object.keys(words).map((name) => name.split(' ')[0]!))].join(' ');
}

/** First words that are followed by another → what may follow. */
function secondWords(words: Words): Map<string, string[]> {
  const seconds = new Map<string, string[]>();
  for (const name of Object.keys(words)) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) seconds.set(first, [...(seconds.get(first) ?? []), second]);
  }
  return seconds;
}

export function bash(words: Words): string {
  const seconds = [...secondWords(words)].map(
    ([first, more]) => `      ${first}) COMPREPLY=($(compgen -W '${more.join(' ')}' -- "$word")); return ;;`,
  );
  const cases = Object.entries(words).map(([name, flags]) => {
    const pattern = name.includes(' ') ? `"${name}"` : `"${name}"*`;
    return `    ${pattern}) flags='${flags.join(' ')}' ;;`;
  });
  return `_mizzen() {
  local word="\${COMP_WORDS[COMP_CWORD]}" flags=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${firstWords(words)}' -- "$word"))
    return
  fi
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "\${COMP_WORDS[1]}" in
${seconds.join('\n')}
    esac
  fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${cases.toSorted((a, b) => b.length - a.length).join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _mizzen mizzen
`;
}

/** zsh reads bash's. */
export function zsh(words: Words): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

export function fish(words: Words): string {
  const lines = [`complete -c mizzen -n __fish_use_subcommand -f -a '${firstWords(words)}'`];
  for (const [first, more] of secondWords(words))
    lines.push(`complete -c mizzen -n '__fish_seen_subcommand_from ${first}' -f -a '${more.join(' ')}'`);
  for (const [name, flags] of Object.entries(words)) {
    const [first = '', second] = name.split(' ');
    const there = `__fish_seen_subcommand_from ${first}`;
    const seen = second === undefined ? there : `${there}; and __fish_seen_subcommand_from ${second}`;
    for (const flag of flags) lines.push(`complete -c mizzen -n '${seen}' -l ${flag.slice(2)}`);
  }
  return `${lines.join('\n')}\n`;
}
