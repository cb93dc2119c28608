/* SPDX-License-Identifier: GPL-2.0 */
/* rules_text - the table of rules, as docs/rules.md has it. */
#ifndef PERFCONV_CMD_RULES_TEXT_H
#define PERFCONV_CMD_RULES_TEXT_H

/** rules_text__print - on standard output. */
void rules_text__print(void);

#endif
