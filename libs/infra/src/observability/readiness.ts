import type { Answer } from '#core/vocabulary/answer';

/** A part that the process needs, or would like to have. */
export interface ReadinessPart {
  name: string;
  /** Whether the process can do nothing useful without it. */
  required: boolean;
  check: () => Promise<Answer<unknown>>;
}

export interface ReadinessReport {
  ready: boolean;
  parts: Record<string, { status: 'up' | 'down'; required: boolean; because?: string }>;
}

const CHECK_TIMEOUT_MS = 3_000;

/** Asks all parts at once; one that does not answer in time is down. */
export class Readiness {
  readonly #parts: readonly ReadinessPart[];

  constructor(parts: readonly ReadinessPart[]) {
    this.#parts = parts;
  }

  async report(): Promise<ReadinessReport> {
    const answers = await Promise.all(
      this.#parts.map(async ({ name, required, check }) => {
        const because = await reasonWhyDown(check);
        return { name, required, ...(because === undefined ? {} : { because }) };
      }),
    );
    return {
      ready: answers.every(({ required, because }) => !required || because === undefined),
      parts: Object.fromEntries(
        answers.map(({ name, ...part }) => [
          name,
          { status: part.because === undefined ? 'up' : 'down', ...part },
        ]),
      ),
    };
  }
}

async function reasonWhyDown(check: ReadinessPart['check']): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  });
  const asked = check().then(
    (answer) =>
      answer.kind === 'present' ? undefined : answer.kind === 'unknown' ? answer.because : 'absent',
    (error: unknown) => (error instanceof Error ? error.message : 'the check failed'),
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
