import { defaultLabDirectory } from './lab-directory.ts';

/** A lab of the tests' own, so that a quick start that is running is left alone. */
export const TEST_LAB_DIRECTORY = `${defaultLabDirectory()}-test`;
