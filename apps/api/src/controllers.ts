import { KeysController } from './access/keys.controller.ts';
import { UsersController } from './access/users.controller.ts';
import { ArtifactsController } from './artifacts/artifacts.controller.ts';
import { ClusterController } from './cluster/cluster.controller.ts';
import { HealthController } from './health/health.controller.ts';
import { JobEventsController } from './jobs/job-events.controller.ts';
import { JobFilesController } from './jobs/job-files.controller.ts';
import { JobLogsController } from './jobs/job-logs.controller.ts';
import { JobsController } from './jobs/jobs.controller.ts';
import { BoardsController } from './nodes/boards.controller.ts';
import { DiscoveriesController } from './nodes/discoveries.controller.ts';
import { NodesController } from './nodes/nodes.controller.ts';
import { OperationsController } from './nodes/operations.controller.ts';

/** Every controller of the api; what is not here has no routes and is not documented. */
export const CONTROLLERS = [
  JobsController,
  JobLogsController,
  JobEventsController,
  JobFilesController,
  ArtifactsController,
  NodesController,
  ClusterController,
  BoardsController,
  DiscoveriesController,
  OperationsController,
  UsersController,
  KeysController,
  HealthController,
];
