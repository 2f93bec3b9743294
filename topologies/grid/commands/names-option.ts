/** `--names`, of what prints or writes statistics. */
export const namesOption = {
  flags: '--names',
  description: 'the names of communes, departements and regions beside their ids',
} as const;
