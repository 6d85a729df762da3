/** The way from "this operation wants attention" to a worker. Delivery may be lost or doubled; the database tells. */
export interface OperationQueue {
  /** @throws where the queue cannot be reached; the sweeper will find the operation by its `lookAt` all the same */
  add(operationId: string): Promise<void>;
}
