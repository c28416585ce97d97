// SPDX-License-Identifier: Apache-2.0
// Where a ticket is worked on.
export const ticketAddress = (caseId: number): { path: string; query: Record<string, string> } => ({ path: "/work", query: { case: String(caseId) } });
