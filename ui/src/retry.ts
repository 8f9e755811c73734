// Retry tokens: what is sent again under the same one is done once.

import { useState } from 'preact/hooks'

// Not randomUUID, which browsers have only where the page came over TLS or from this machine.
const retryToken = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

// One for each content: the server refuses a token with another content than it came with first.
export function useRetryTokens(): (content: unknown) => string {
  const [known] = useState(() => new Map<string, string>())
  return (content) => {
    const text = JSON.stringify(content)
    const token = known.get(text) ?? retryToken()
    known.set(text, token)
    return token
  }
}
