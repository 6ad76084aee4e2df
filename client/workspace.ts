/** Workspaces on disk: made, and opened. */
export { WorkspaceError, type WorkspaceErrorCode } from './keyfile.ts';
export {
  createWorkspace,
  type EnterpriseSeed,
  keyJson,
  MIN_READERS,
  type WorkspaceOptions,
} from './workspace-create.ts';
export {
  type EnterpriseDesk,
  type ErasureDesk,
  keepLists,
  openWorkspace,
  type PullProof,
  type RegulatorDesk,
  readLists,
  readRecipientKey,
  Workspace,
  workspacePaths,
} from './workspace-open.ts';
