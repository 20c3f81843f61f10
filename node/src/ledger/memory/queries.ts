import type { Query } from '../module.ts';
export const queries: Readonly<Record<string, Query>> = {};
