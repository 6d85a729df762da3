import type { Clock } from '#core/vocabulary/clock';

export const systemClock: Clock = { now: () => new Date() };
