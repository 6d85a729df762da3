import { EntitySchema, EntitySchemaOptions } from 'typeorm';

type TableOptions<Row> = Pick<EntitySchemaOptions<Row>, 'name' | 'columns' | 'indices' | 'foreignKeys'>;

/** A table as TypeORM knows it; its columns have the names of the row's fields. */
export function defineTable<Row>(options: TableOptions<Row>): EntitySchema<Row> {
  return new EntitySchema<Row>(Object.assign(new EntitySchemaOptions<Row>(), options));
}
