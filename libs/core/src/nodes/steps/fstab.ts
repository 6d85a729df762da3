export const FSTAB_PATH = '/etc/fstab';

/** A line of `/etc/fstab`. */
export interface FstabEntry {
  /** Such as `UUID=…` or `10.0.0.2:/srv/data`. */
  source: string;
  /** Absolute path. */
  at: string;
  type: string;
  options: readonly string[];
  /** Order in which fsck looks at it at boot; 0, the default, is never. */
  check?: 0 | 1 | 2;
}

/**
 * `/etc/fstab` with a block of Bramble's. What else is in the file stays, byte for byte.
 * @param current the file as it is; empty where there is none
 * @param title tells blocks apart, such as `directories of storage boards`
 * @param entries none removes the block
 */
export function fstab(current: string, title: string, entries: readonly FstabEntry[]): string {
  const { before, after } = withoutBlock(current, title);
  if (entries.length === 0) return before + after;
  const { begin, end } = marks(title);
  const head = before === '' || before.endsWith('\n') ? before : `${before}\n`;
  return `${head}${[begin, ...entries.map(lineOf), end].join('\n')}\n${after}`;
}

/** The entries that a block of Bramble's has. */
export function fstabBlock(current: string, title: string): FstabEntry[] {
  return parse(withoutBlock(current, title).block);
}

/** The entries outside of a block. */
export function fstabOutside(current: string, title: string): FstabEntry[] {
  const { before, after } = withoutBlock(current, title);
  return parse(before + after);
}

const marks = (title: string) => ({
  begin: `# Kept by Bramble, ${title}: begin`,
  end: `# Kept by Bramble, ${title}: end`,
});

/** Where the block's end is missing, only the line that begins it is taken for Bramble's. */
function withoutBlock(text: string, title: string): { before: string; block: string; after: string } {
  const { begin, end } = marks(title);
  const lines = text.split(/(?<=\n)/);
  const at = lines.findIndex((line) => line.trimEnd() === begin);
  if (at === -1) return { before: text, block: '', after: '' };
  const found = lines.findIndex((line, index) => index > at && line.trimEnd() === end);
  const last = found === -1 ? at : found;
  return {
    before: lines.slice(0, at).join(''),
    block: lines.slice(at + 1, last).join(''),
    after: lines.slice(last + 1).join(''),
  };
}

function lineOf({ source, at, type, options, check = 0 }: FstabEntry): string {
  return [source, at, type, options.join(','), '0', String(check)].map(escaped).join('\t');
}

/** Octal, as fstab(5) wants white space; a backslash would begin such a number. */
const escaped = (field: string): string =>
  field.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

function parse(text: string): FstabEntry[] {
  return text.split('\n').flatMap((line) => {
    const [source, at, type, options] = line.trim().split(/\s+/).map(unescaped);
    if (source === undefined || source.startsWith('#') || at === undefined || type === undefined) return [];
    return [{ source, at, type, options: options?.split(',') ?? [] }];
  });
}
