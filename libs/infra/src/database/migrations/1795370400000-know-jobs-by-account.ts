import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KnowJobsByAccount1795370400000 implements MigrationInterface {
  readonly name = 'KnowJobsByAccount1795370400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE jobs ADD account_uid bigint, ADD outputs_truncated boolean NOT NULL DEFAULT false',
    );
    await runner.query('ALTER TABLE jobs ALTER outputs_truncated DROP DEFAULT');
    // Jobs that are in Slurm now would not be known there any more without it.
    await runner.query(`
      UPDATE jobs SET account_uid = users.account_uid FROM users
      WHERE users.id = jobs.owner_id AND users.account = jobs.account AND jobs.submit_attempts > 0`);
    await runner.query('CREATE INDEX artifacts_same ON artifacts (owner_id, sha256)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX artifacts_same');
    await runner.query('ALTER TABLE jobs DROP account_uid, DROP outputs_truncated');
  }
}
