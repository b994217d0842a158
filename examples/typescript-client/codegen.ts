import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: ['src/**/*.ts', '!src/generated/**'],
  importExtension: '.ts',
  silent: true,
  generates: {
    './src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // A document is a string with types: nothing of GraphQL has to be parsed while the client runs.
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        // Every scalar of the schema has to be named here, or the generator refuses.
        strictScalars: true,
        scalars: { DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
