import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepInventory1795384800000 implements MigrationInterface {
  readonly name = 'KeepInventory1795384800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE board_health (
        board_id text NOT NULL CONSTRAINT board_health_pkey PRIMARY KEY
          CONSTRAINT board_health_board REFERENCES boards (id) ON DELETE CASCADE,
        state text NOT NULL,
        reasons jsonb NOT NULL,
        observed_at timestamptz(3) NOT NULL,
        since timestamptz(3) NOT NULL,
        condition jsonb,
        failures integer NOT NULL,
        next_look_at timestamptz(3) NOT NULL
      )`);

    await runner.query(`
      CREATE TABLE node_events (
        seq bigserial CONSTRAINT node_events_pkey PRIMARY KEY,
        node text NOT NULL,
        at timestamptz(3) NOT NULL,
        type text NOT NULL,
        state text,
        detail text,
        operation jsonb
      )`);
    await runner.query('CREATE INDEX node_events_newest ON node_events (node, seq)');

    await runner.query(`
      CREATE TABLE discoveries (
        id text NOT NULL CONSTRAINT discoveries_pkey PRIMARY KEY,
        range text NOT NULL,
        state text NOT NULL,
        reason jsonb,
        found jsonb NOT NULL,
        look_at timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        started_at timestamptz(3),
        ended_at timestamptz(3)
      )`);
    await runner.query('CREATE INDEX discoveries_due ON discoveries (look_at) WHERE look_at IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE discoveries, node_events, board_health');
  }
}
