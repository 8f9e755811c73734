// Text of a terminal without its sequences. A link is its text and its address, as a log shows it.

const LINK = /\u001b\]8;[^;\n]*;([^\u0007\u001b\n]+)(?:\u0007|\u001b\\)(.*?)\u001b\]8;;(?:\u0007|\u001b\\)/g
const SEQUENCE = /\u001b\[[0-?]*[ -/]*[@-~]/g

export const plainOf = (text: string) => (text.includes('\u001b') ? text.replace(LINK, '$2 ($1)').replace(SEQUENCE, '') : text)
