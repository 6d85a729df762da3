import { defaultLabDirectory } from './lab-directory.ts';

const SUFFIX = '-test';

/** A lab of the tests' own, so that a quick start that is running is left alone. Specs have it as their default already. */
export const TEST_LAB_DIRECTORY = defaultLabDirectory().replace(new RegExp(`(${SUFFIX})?$`), SUFFIX);
