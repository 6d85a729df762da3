import { KeysController } from './access/keys.controller.ts';
import { UsersController } from './access/users.controller.ts';
import { ArtifactsController } from './artifacts/artifacts.controller.ts';
import { ClusterController } from './cluster/cluster.controller.ts';
import { ImagesController } from './cluster/images.controller.ts';
import { NamespacesController } from './cluster/namespaces.controller.ts';
import { HealthController } from './health/health.controller.ts';
import { JobEventsController } from './jobs/job-events.controller.ts';
import { JobFilesController } from './jobs/job-files.controller.ts';
import { JobLogsController } from './jobs/job-logs.controller.ts';
import { JobsController } from './jobs/jobs.controller.ts';
import { BoardsController } from './nodes/boards.controller.ts';
import { DiscoveriesController } from './nodes/discoveries.controller.ts';
import { NodesController } from './nodes/nodes.controller.ts';
import { OperationsController } from './operations/operations.controller.ts';
import { CatalogController } from './services/catalog.controller.ts';
import { ServiceDiagnosticsController } from './services/service-diagnostics.controller.ts';
import { ServicesController } from './services/services.controller.ts';

/** Every controller of the api; what is not here has no routes and is not documented. */
export const CONTROLLERS = [
  JobsController,
  JobLogsController,
  JobEventsController,
  JobFilesController,
  ArtifactsController,
  NodesController,
  ClusterController,
  NamespacesController,
  ImagesController,
  BoardsController,
  DiscoveriesController,
  OperationsController,
  // Before the services: `catalog` is no name of one.
  CatalogController,
  ServicesController,
  ServiceDiagnosticsController,
  UsersController,
  KeysController,
  HealthController,
];
