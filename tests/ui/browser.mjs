// A browser for the tests of the page. Each line of the input is {"code", "arg"}: JavaScript that is run with `page`
// (Playwright's), `arg` and `open` (a new page, in a new profile) at hand; each line of the output is {"value"} or
// {"error"}. What no page may do, whatever the test, is collected and told when it is asked for: `faults`.
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const [executablePath] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] })
const AsyncFunction = (async () => {}).constructor
const state = { page: null, faults: [], origin: '' }

async function open({ origin, ...options }) {
  await state.page?.context().close()
  const context = await browser.newContext({ baseURL: origin, ...options })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  Object.assign(state, { page, faults: [], origin })
  page.on('pageerror', (error) => state.faults.push(`error: ${error.stack}`))
  page.on('dialog', (dialog) => {
    state.faults.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  page.on('console', (message) => {
    if (/content.security.policy|refused to/i.test(message.text())) state.faults.push(`policy: ${message.text()}`)
  })
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('blob:') && !url.startsWith('data:')) state.faults.push(`request to ${url}`)
  })
}

for await (const line of createInterface({ input: process.stdin })) {
  const { code, arg } = JSON.parse(line)
  let answer
  try {
    const run = new AsyncFunction('page', 'arg', 'open', 'faults', code)
    answer = { value: (await run(state.page, arg, open, state.faults)) ?? null }
  } catch (error) {
    answer = { error: String(error.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await browser.close()
