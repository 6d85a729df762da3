/** More hosts than any cluster of boards has: a list that stands for more is a mistake. */
const MAXIMUM_HOSTS = 65_536;

/**
 * The hosts that a hostlist such as `node[02-05,7],login1` stands for, in its order. Numbers keep their leading zeros,
 * and a name may have several brackets: `rack[0-1]n[1-2]`.
 * @throws SyntaxError where the text is no hostlist
 * @see https://slurm.schedmd.com/scontrol.html#OPT_hostnames
 */
export function expandHostlist(text: string): string[] {
  if (text === '' || text === '(null)') return [];
  return splitOutsideBrackets(text).flatMap((item) => expandName(item, text));
}

function splitOutsideBrackets(text: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '[') depth += 1;
    else if (text[at] === ']') depth -= 1;
    else if (text[at] === ',' && depth === 0) {
      items.push(text.slice(from, at));
      from = at + 1;
    }
    if (depth < 0 || depth > 1) throw fault(text);
  }
  if (depth !== 0) throw fault(text);
  items.push(text.slice(from));
  return items;
}

function expandName(name: string, whole: string): string[] {
  if (name === '' || /\s/.test(name)) throw fault(whole);
  const parts = name.split(/\[([^\]]*)\]/);
  return parts.reduce<string[]>(
    (names, part, index) => {
      const choices =
        index % 2 === 0 ? [part] : part.split(',').flatMap((range) => expandRange(range, whole));
      if (names.length * choices.length > MAXIMUM_HOSTS) throw fault(whole);
      return names.flatMap((prefix) => choices.map((choice) => prefix + choice));
    },
    [''],
  );
}

function expandRange(range: string, whole: string): string[] {
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range);
  if (match === null) throw fault(whole);
  const [, first = '', last = first] = match;
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > MAXIMUM_HOSTS) throw fault(whole);
  return Array.from({ length: count }, (_, index) =>
    String(Number(first) + index).padStart(first.length, '0'),
  );
}

const fault = (text: string): SyntaxError => new SyntaxError(`not a list of hosts: "${text.slice(0, 200)}"`);
