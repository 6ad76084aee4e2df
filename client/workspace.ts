/** Workspaces on disk: made, and opened. */
export { WorkspaceError, type WorkspaceErrorCode } from './keyfile.ts';
export { createWorkspace, type EnterpriseSeed, type WorkspaceOptions } from './workspace-create.ts';
export {
  type EnterpriseDesk,
  openWorkspace,
  type RegulatorDesk,
  Workspace,
  workspacePaths,
} from './workspace-open.ts';
