// A dialog that asks for something, does it, and says why it was refused.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Dialog, Problem, closeDialog } from './ui'

// `onSubmit` does it; the dialog closes behind it. `doing`: what the button says meanwhile.
export function FormDialog({ title, verb, doing, isDanger, onClose, onSubmit, children }: {
  title: string
  verb: string
  doing: string
  isDanger?: boolean
  onClose: () => void
  onSubmit: () => Promise<unknown>
  children: ComponentChildren
}) {
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)
  async function submit(event: Event & { currentTarget: HTMLFormElement }) {
    const dialog = event.currentTarget.closest('dialog')
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await onSubmit()
      dialog?.close() // which gives the focus back, and calls onClose
    } catch (refusal) {
      setBusy(false)
      setError(refusal)
    }
  }
  return (
    <Dialog title={title} onClose={onClose} isHeld={isBusy}>
      <form onSubmit={submit}>
        {children}
        {error !== null && <Problem error={error} />}
        <footer>
          <button type="button" disabled={isBusy} onClick={closeDialog}>Cancel</button>
          <button type="submit" class={isDanger ? 'danger' : 'primary'} disabled={isBusy}>{isBusy ? doing : verb}</button>
        </footer>
      </form>
    </Dialog>
  )
}
