import type { SlurmController } from '../jobs/slurm-controller.ts';
import type { Clock } from '../vocabulary/clock.ts';
import type { AccessStore } from './access-store.ts';

/** Accounts below this uid belong to the system, on Debian and Raspberry Pi OS alike (adduser.conf: FIRST_UID). */
export const FIRST_USER_UID = 1000;
const VERIFY_AGAIN_MS = 10 * 60_000;

/** Asks the cluster about the Unix accounts of users: new ones at once, the others every ten minutes. */
export class VerifyAccounts {
  readonly #access: AccessStore;
  readonly #slurm: SlurmController;
  readonly #clock: Clock;

  constructor(access: AccessStore, slurm: SlurmController, clock: Clock) {
    this.#access = access;
    this.#slurm = slurm;
    this.#clock = clock;
  }

  /** @returns how many accounts were looked up */
  async run(limit = 50): Promise<number> {
    const before = new Date(this.#clock.now().getTime() - VERIFY_AGAIN_MS);
    const users = await this.#access.usersToVerify(before, limit);
    let lookedUp = 0;
    for (const user of users) {
      if (user.account === null) continue;
      const answer = await this.#slurm.account(user.account);
      const at = this.#clock.now();
      if (answer.kind === 'unknown') break;
      lookedUp += 1;
      if (answer.kind === 'absent') {
        const message = `The cluster has no Unix account "${user.account}".`;
        await this.#access.recordAccount(user.id, 'absent', { message, uid: null, at });
      } else if (answer.value.uid < FIRST_USER_UID) {
        const message = `The Unix account "${user.account}" has uid ${answer.value.uid}; jobs run as accounts from ${FIRST_USER_UID} on, never as root or a service.`;
        await this.#access.recordAccount(user.id, 'refused', { message, uid: answer.value.uid, at });
      } else {
        await this.#access.recordAccount(user.id, 'verified', { message: null, uid: answer.value.uid, at });
      }
    }
    return lookedUp;
  }
}
