import type { DataSource } from 'typeorm';

/**
 * What would have to be done to the database for it to be as the tables in `tables/` say; empty where migrations and
 * tables agree. TypeORM compares columns, keys, and of indexes the name, columns and uniqueness.
 * @returns SQL statements
 */
export async function schemaDrift(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}
