// A task of each type as one begins to write it: what it must have, with words in the places to be filled in.

import type { TaskDef } from './types'

export const BEGINNINGS: Record<string, [title: string, fields: Record<string, unknown>]> = {
  SHELL_TASK: ['Shell script', { script: 'echo hello' }],
  PYTHON_TASK: ['Python file', { filePath: 'script.py' }],
  NOTEBOOK_TASK: ['Notebook', { notebookPath: 'notebook.ipynb' }],
  HTTP_TASK: ['HTTP request', { method: 'GET', url: 'https://example.com/' }],
  IF_ELSE_TASK: ['Decision', { expressions: [{ key: 'large', value: '{{job.parameters.rows}} > 10' }], condition: 'large' }],
  JOB_TASK: ['Another job', { jobKey: '' }],
  PATH_TASK: ['Wait for a file', { action: 'WAIT_PATH', path: 'inbox/file.csv' }],
  JAR_TASK: ['Java archive', { mainClass: 'Main', dependentLibraries: ['app.jar'] }],
  SPARK_SUBMIT_TASK: ['Spark submit', { commandLineArguments: '--class Main app.jar' }],
  DUMMY_TASK: ['Nothing: joins others', {}],
}

// Behind the last one, under a key that is free.
export function begin(type: string, tasks: TaskDef[]): TaskDef {
  const taken = new Set(tasks.map((task) => task.taskKey))
  const name = type.toLowerCase().replace(/_task$/, '')
  let taskKey = name
  for (let i = 2; taken.has(taskKey); i++) taskKey = `${name}_${i}`
  const last = tasks.at(-1)
  return { taskKey, type, ...(last ? { dependsOn: [{ taskKey: last.taskKey }] } : {}), ...BEGINNINGS[type][1] }
}
