import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepBoards1795377600000 implements MigrationInterface {
  readonly name = 'KeepBoards1795377600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE boards (
        id text NOT NULL CONSTRAINT boards_pkey PRIMARY KEY,
        version integer NOT NULL,
        name text NOT NULL,
        address text NOT NULL,
        ssh_port integer NOT NULL,
        sign_in_user text NOT NULL,
        host_key_sha256 text,
        roles jsonb NOT NULL,
        labels jsonb NOT NULL,
        network jsonb,
        storage jsonb,
        trial boolean NOT NULL,
        sealed_sign_in text,
        sealed_sudo_password text,
        facts jsonb,
        facts_at timestamptz(3),
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE UNIQUE INDEX boards_name ON boards (name) WHERE NOT trial');
    await runner.query('CREATE UNIQUE INDEX boards_address ON boards (address) WHERE NOT trial');

    await runner.query(`
      CREATE TABLE operations (
        id text NOT NULL CONSTRAINT operations_pkey PRIMARY KEY,
        version integer NOT NULL,
        about text NOT NULL,
        subject text NOT NULL,
        board_id text CONSTRAINT operations_board REFERENCES boards (id) ON DELETE SET NULL,
        kind text NOT NULL,
        parameters jsonb NOT NULL,
        notes jsonb NOT NULL,
        state text NOT NULL,
        reason jsonb,
        steps jsonb NOT NULL,
        cancel_requested_at timestamptz(3),
        look_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        started_at timestamptz(3),
        ended_at timestamptz(3)
      )`);
    await runner.query('CREATE INDEX operations_newest ON operations (about, subject, created_at, id)');
    await runner.query(`
      CREATE UNIQUE INDEX operations_under_way ON operations (about, subject)
      WHERE kind <> 'plan' AND state IN ('waiting', 'running')`);
    await runner.query('CREATE INDEX operations_due ON operations (look_at) WHERE look_at IS NOT NULL');

    await runner.query(`
      CREATE TABLE operation_output (
        operation_id text NOT NULL CONSTRAINT operation_output_operation
          REFERENCES operations (id) ON DELETE CASCADE,
        seq integer NOT NULL,
        step text NOT NULL,
        text text NOT NULL,
        CONSTRAINT operation_output_pkey PRIMARY KEY (operation_id, seq)
      )`);

    await runner.query(`
      CREATE TABLE managed_keys (
        id text NOT NULL CONSTRAINT managed_keys_pkey PRIMARY KEY,
        public_key_line text NOT NULL,
        sealed_private_key text NOT NULL,
        created_at timestamptz(3) NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE managed_keys, operation_output, operations, boards');
  }
}
