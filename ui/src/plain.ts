// Text of a terminal without its sequences. A link is its text and its address, as a log shows it.

// Neither goes back over what it has passed: lines may be long, and are other people's.
const LINK = /\u001b\]8;[^;\n\u001b]*;([^\u0007\u001b\n]+)(?:\u0007|\u001b\\)((?:[^\u001b\n]|\u001b(?!\]8;))*)\u001b\]8;;(?:\u0007|\u001b\\)/g
const SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\([ -~])/g

export const plainOf = (text: string) => (text.includes('\u001b') ? text.replace(LINK, '$2 ($1)').replace(SEQUENCE, '') : text)

// A line as a terminal leaves it: behind the last carriage return that is not at its end.
export function plainLine(line: string): string {
  let end = line.length
  while (end && line[end - 1] === '\r') end--
  return end ? plainOf(line.slice(line.lastIndexOf('\r', end - 1) + 1, end)) : ''
}
