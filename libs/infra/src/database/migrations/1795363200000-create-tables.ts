import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTables1795363200000 implements MigrationInterface {
  // TypeORM reads the timestamp from the name, which a minifier could take away from the class.
  readonly name = 'CreateTables1795363200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id text NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
        name text NOT NULL,
        role text NOT NULL,
        account text,
        account_status text NOT NULL,
        account_message text,
        account_uid bigint,
        account_checked_at timestamptz(3),
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE UNIQUE INDEX users_name ON users (name)');

    await runner.query(`
      CREATE TABLE api_keys (
        id text NOT NULL CONSTRAINT api_keys_pkey PRIMARY KEY,
        user_id text NOT NULL CONSTRAINT api_keys_user_id REFERENCES users (id),
        label text NOT NULL,
        prefix text NOT NULL,
        sha256 text NOT NULL,
        scopes jsonb,
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3),
        revoked_at timestamptz(3)
      )`);
    await runner.query('CREATE UNIQUE INDEX api_keys_prefix ON api_keys (prefix)');
    await runner.query('CREATE INDEX api_keys_user ON api_keys (user_id)');

    await runner.query(`
      CREATE TABLE artifacts (
        id text NOT NULL CONSTRAINT artifacts_pkey PRIMARY KEY,
        owner_id text NOT NULL,
        name text NOT NULL,
        size bigint NOT NULL,
        sha256 text NOT NULL,
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE INDEX artifacts_owner_newest ON artifacts (owner_id, created_at, id)');

    await runner.query(`
      CREATE TABLE jobs (
        id text NOT NULL CONSTRAINT jobs_pkey PRIMARY KEY,
        version integer NOT NULL,
        owner_id text NOT NULL,
        idempotency_key text,
        account text NOT NULL,
        name text NOT NULL,
        request jsonb NOT NULL,
        labels jsonb NOT NULL,
        script text NOT NULL,
        state text NOT NULL,
        reason jsonb,
        cancel_requested_at timestamptz(3),
        submit_attempts integer NOT NULL,
        submit_intent_at timestamptz(3),
        slurm_cluster text,
        slurm_job_id bigint,
        slurm_submit_time timestamptz(3),
        slurm_node_list text,
        slurm_end jsonb,
        exit_code integer,
        signal integer,
        outputs jsonb,
        last_lines text,
        created_at timestamptz(3) NOT NULL,
        submitted_at timestamptz(3),
        started_at timestamptz(3),
        ended_at timestamptz(3),
        look_at timestamptz(3)
      )`);
    await runner.query(
      'CREATE UNIQUE INDEX jobs_idempotency_key ON jobs (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL',
    );
    await runner.query('CREATE INDEX jobs_owner_newest ON jobs (owner_id, created_at, id)');
    await runner.query('CREATE INDEX jobs_newest ON jobs (created_at, id)');
    await runner.query('CREATE INDEX jobs_due ON jobs (look_at) WHERE look_at IS NOT NULL');
    await runner.query(
      `CREATE INDEX jobs_followed ON jobs (id) WHERE state IN ('submitting', 'queued', 'running')`,
    );
    await runner.query('CREATE INDEX jobs_labels ON jobs USING gin (labels jsonb_path_ops)');

    await runner.query(`
      CREATE TABLE job_events (
        job_id text NOT NULL CONSTRAINT job_events_job REFERENCES jobs (id) ON DELETE CASCADE,
        seq integer NOT NULL,
        type text NOT NULL,
        state text NOT NULL,
        reason jsonb,
        at timestamptz(3) NOT NULL,
        CONSTRAINT job_events_pkey PRIMARY KEY (job_id, seq)
      )`);

    await runner.query(`
      CREATE TABLE observations (
        kind text NOT NULL CONSTRAINT observations_pkey PRIMARY KEY,
        observed_at timestamptz(3) NOT NULL,
        data jsonb
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE job_events, jobs, artifacts, api_keys, users, observations');
  }
}
