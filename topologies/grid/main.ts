#!/usr/bin/env node
import { runCli } from '../../src/cli/cli.ts';
import { gridProgram } from './program.ts';

const { argv, env, stdout, stderr } = process;
process.exit(await runCli({ ...gridProgram, argv: argv.slice(2), env, stdout, stderr }));
