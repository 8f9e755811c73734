// What the API answers, as far as the page reads it. Names are the API's.

export type Status =
  | 'BLOCKED' | 'CANCELED' | 'CANCELING' | 'EXCLUDED' | 'FAILED' | 'INTERNAL_ERROR' | 'PAUSED_MAINTENANCE' | 'PENDING'
  | 'PAUSED' | 'WAITING' // of campaigns
  | 'QUEUED' | 'RUNNING' | 'SKIPPED' | 'SUCCESS' | 'TIMED_OUT' | 'UPSTREAM_CANCELED' | 'UPSTREAM_FAILED'

export interface State {
  status: Status
  stateMessage: string | null
  errorTrace: string | null
}

export interface Parameter {
  name: string
  value: string | null
}

export interface Dependency {
  taskKey: string
  outcome?: string | null
}

export interface TaskDef {
  taskKey: string
  type: string
  runIf?: string | null
  dependsOn?: Dependency[] | null
  [field: string]: unknown
}

export interface TaskSummary {
  key: string
  taskKey: string
  startTime: number | null
  endTime: number | null
  retryAttempt: number | null
  state: State
  externalId: string | null
}

export interface Repair {
  key: number
  type: 'ORIGINAL' | 'REPAIR'
  state: State
  startTime: number | null
  endTime: number | null
  executionDuration: number | null
  parameters: Parameter[]
  repairedTasks: string[]
  taskToTaskRunMap: Record<string, string>
  createdByName?: string | null
  timeCreated?: string | null
  definitionVersion?: number | null
}

export interface RunSummary {
  key: string
  jobKey: string
  jobName: string
  name: string
  launched: string
  createdByName: string | null
  startTime: number | null
  attemptStartTime: number | null // of the newest attempt
  endTime: number | null
  executionDuration: number | null
  state: State
  timeCreated: string
  timeUpdated: string
}

// A run that stands for a time of a schedule.
export interface PlannedRun {
  jobRunKey: string
  plannedTime: string
  schedule: Schedule | null
  campaignKey?: string
}

// A run as a column of the grid of its job; `states` has a letter for each task.
export interface GridRun {
  key: string
  status: Status
  launched: string
  createdByName: string | null
  timeCreated: string
  timeUpdated: string
  startTime: number | null
  attemptStartTime: number | null // of the newest attempt
  endTime: number | null
  executionDuration: number | null
  plannedTime?: string
  states: string | null
  taskStartTime?: number | null
  taskEndTime?: number | null
}

export interface GridAnswer {
  jobKey: string
  definitionVersion: number
  lastEvent: number
  letters: Record<string, Status>
  taskKeys: string[]
  runs: GridRun[] // newest first
}

export interface Run extends RunSummary {
  setupDuration: number | null
  cleanupDuration: number | null
  runDuration: number | null
  maxConcurrentRuns: number | null
  parameters: Parameter[]
  unifiedJobAndJobRunParameters: Parameter[]
  parentJobRunKey: string | null
  repairHistory: Repair[]
  repairedTasks: string[]
  taskRunSummaryMap: Record<string, TaskSummary>
  taskToTaskRunMap: Record<string, string>
  tasks: TaskDef[]
  timeoutSeconds: number | null
  version: number
  definitionVersion: number | null
}

export interface Retry {
  retryNumber: number
  startTime: number | null
  endTime: number | null
  setupDuration: number | null
  executionDuration: number | null
  externalId: string | null
  state: State
}

export interface TaskRun extends TaskSummary {
  parameters: Parameter[]
  retries: Retry[]
  task: TaskDef
  outputKey: string | null
}

export interface RunEvent {
  id: number
  time: string
  taskKey: string | null
  taskRunKey: string | null
  repairKey: number
  attempt: number | null
  type: string
  from: Status | null
  to: Status | null
  reason: string | null
}

export interface WorkspaceEvent extends RunEvent {
  jobRunKey: string
  jobKey: string
}

export interface PlanTask {
  taskKey: string
  verdict: 'RUN' | 'REEVALUATE' | 'MARK' | 'KEEP'
  reason: string
  willStart: boolean
  hazards: string[]
}

export interface ParameterChange {
  name: string
  old: string | null
  new: string | null
}

// What differs between two versions of a definition.
export interface DefinitionDiff {
  version?: number
  fromVersion?: number
  toVersion?: number
  added?: string[]
  removed?: string[]
  rewired?: { taskKey: string; gained: string[]; lost: string[] }[]
  changed?: { taskKey: string; fields: string[] }[]
  fields?: string[]
  parameters?: ParameterChange[]
}

export interface Version {
  version: number
  isCurrent: boolean
  timeCreated: string | null
  createdBy: string | null
}

export interface WholeVersion extends Version {
  definition: { tasks: TaskDef[]; [field: string]: unknown }
}

export interface Origin {
  source: 'JOB' | 'TASK' | 'RUN' | 'REPAIR'
  repair: number | null
}

export interface Provenance extends Origin {
  name: string
  value: string | null
  given: string | null
  overrides: (Origin & { value: string | null })[]
  references: { reference: string; value: string | null }[]
}

export interface Plan {
  tasks: PlanTask[]
  parameters: ParameterChange[]
  definition: DefinitionDiff
  etag: string
}

export interface Decision {
  time: string
  kind: string
  runIf?: string
  result?: string
  dependencies?: { taskKey: string; status: Status; countsAs?: Status; outcome?: string; wantedOutcome?: string }[]
  [field: string]: unknown
}

export interface Explanation {
  run?: { parameters?: Provenance[] }
  tasks: {
    taskKey: string
    status: Status | null
    reason: string | null
    decisions: Decision[]
    parameters?: Provenance[]
    references?: { field: string | null; reference: string; value: string | null }[]
  }[]
}

export interface Schedule {
  quartzCronExpression: string
  timezoneId: string
  pauseStatus: string
  [field: string]: unknown
}

// Instead of a schedule: one run after the other.
export interface Continuous {
  pauseStatus: string
}

export interface Grant {
  grantee: string
  granteeType: 'USER' | 'ROLE'
  granteePermissions: ('READ' | 'USE' | 'MANAGE' | 'ADMIN')[]
}

export interface SkippedTimes {
  time: string
  firstPlannedTime: string
  lastPlannedTime: string
  count: number
  reason: string
}

export interface JobSummary {
  key: string
  name: string
  path: string | null
  schedule: Schedule | null
  continuous?: Continuous | null
  nextRunTime?: string | null
  timeCreated: string
  timeUpdated: string
  updatedByName: string | null
}

export interface Job extends JobSummary {
  description: string | null
  maxConcurrentRuns: number
  queue: { isEnabled: boolean } | null
  parameters: Parameter[]
  tasks: TaskDef[]
  timeoutSeconds: number | null
  definitionVersion: number | null
  nextRunTimes?: string[] | null
}

export interface CampaignCounts {
  waiting: number
  blocked: number
  running: number
  success: number
  failed: number
  skipped: number
  canceled: number
}

export interface CampaignSummary {
  key: string
  name: string
  kind: 'RERUN' | 'SUPPLEMENT'
  status: Status
  stateMessage: string | null
  jobKey: string
  jobs: { jobKey: string; name: string }[]
  beginTime: string
  endTime: string
  concurrent: number
  isCanary: boolean
  where: string
  taskKey: string | null
  version: string
  instances: string
  cellCount: number
  cellCounts: CampaignCounts
  createdByName: string | null
  timeCreated: string
  timeFinished: string | null
}

export interface CampaignCell {
  position: number
  jobKey: string
  jobName: string | null
  plannedTime: string
  status: Status
  reason: string | null
  jobRunKey: string | null
  repairKey: number | null
  needs: number[]
  follows: number[]
  timeStarted: string | null
  timeFinished: string | null
}

export interface Campaign extends CampaignSummary {
  parameters: Parameter[]
  cells: CampaignCell[]
}

export interface Page<T> {
  items: T[]
  next: string | null
}
