import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepServices1795392000000 implements MigrationInterface {
  readonly name = 'KeepServices1795392000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE services (
        name text NOT NULL CONSTRAINT services_pkey PRIMARY KEY,
        observation jsonb,
        created_at timestamptz(3) NOT NULL
      )`);

    await runner.query(`
      CREATE TABLE service_revisions (
        service text NOT NULL
          CONSTRAINT service_revisions_service REFERENCES services (name) ON DELETE CASCADE,
        revision integer NOT NULL,
        operation_id text NOT NULL,
        kind text NOT NULL,
        reason text,
        at timestamptz(3) NOT NULL,
        sealed_wanted text NOT NULL,
        parts jsonb NOT NULL,
        CONSTRAINT service_revisions_pkey PRIMARY KEY (service, revision)
      )`);
    await runner.query('CREATE UNIQUE INDEX service_revisions_operation ON service_revisions (operation_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE service_revisions, services');
  }
}
