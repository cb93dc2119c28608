// SPDX-License-Identifier: GPL-2.0
/* What chain.c calls through its PLT. */
void chain_callee(void);

void chain_callee(void)
{
}
