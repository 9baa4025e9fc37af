import { readFileSync } from 'node:fs'

export interface Instruction {
  name: string
  arguments: string
}

/** The instructions of each stage, with comments gone and continued lines joined. */
export function readStages(path: URL): Instruction[][] {
  const lines = readFileSync(path, 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  const stages: Instruction[][] = []
  for (const line of lines.filter(Boolean)) {
    const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? []
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, arguments: rest })
  }
  return stages
}

/** All of one kind in a stage. */
export function argumentsOf(stage: Instruction[], name: string): string[] {
  return stage.filter((instruction) => instruction.name === name).map((instruction) => instruction.arguments)
}

/** The command of `CMD ["…", "…"]`, alone or within `HEALTHCHECK`. */
export function execForm(text = ''): [command: string, ...parameters: string[]] {
  return JSON.parse(text.slice(text.indexOf('[')))
}
