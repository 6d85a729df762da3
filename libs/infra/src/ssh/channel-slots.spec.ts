import { expect, it } from 'vitest';
import { ChannelSlots } from './channel-slots.ts';

it('lets as many in as there are slots, and the others in their order', async () => {
  const slots = new ChannelSlots(2);
  const first = await slots.take(0);
  await slots.take(0);
  const order: string[] = [];
  const third = slots.take(10_000).then(() => order.push('third'));
  const fourth = slots.take(10_000).then(() => order.push('fourth'));
  first?.();
  await third;
  expect(order).toEqual(['third']);
  first?.();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
});

it('sends away whoever has waited long enough, and gives the slot to the next', async () => {
  const slots = new ChannelSlots(1);
  const giveBack = await slots.take(0);
  const impatient = slots.take(5);
  const patient = slots.take(10_000);
  expect(await impatient).toBeUndefined();
  giveBack?.();
  expect(await patient).toBeTypeOf('function');
  expect(await slots.take(5)).toBeUndefined();
});
