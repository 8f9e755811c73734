// What somebody writes against types that were made from the document: it compiles, or the types are of no use.
import type { components, operations } from "./api";

type Schemas = components["schemas"];

const task: Schemas["TaskInput"] = { taskKey: "load", type: "PYTHON_TASK", filePath: "load.py" };
export const job: Schemas["CreateJobDetails"] = { name: "nightly", tasks: [task], queue: { isEnabled: true } };
export const start: Schemas["CreateJobRunDetails"] = { jobKey: "k", parameters: [{ name: "day", value: "1" }] };
export const repair: Schemas["RepairJobRunDetails"] = { taskKeys: ["load"], repairMode: "RERUN" };

export function file(of: Schemas["Task"]): string | null {
  return of.type === "PYTHON_TASK" ? of.filePath : of.type === "IF_ELSE_TASK" ? of.condition : null;
}

export function failed(run: Schemas["JobRun"]): string[] {
  const runs = Object.values(run.taskRunSummaryMap);
  return runs.filter((t) => t.state?.status === "FAILED").map((t) => t.name);
}

export const query: operations["listRecentJobRuns"]["parameters"]["query"] = { jobKey: ["a", "b"], recordCount: 3 };
