// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/rules_text.h"

#include <stdio.h>

#include "perfconv/analyze/rules.h"

static void print_limits(const struct rule *rule)
{
	for (size_t i = 0; i < RULE_LIMITS && rule->limits[i].name; i++)
		printf("%s`%s` %g%s%s", i ? ", " : "", rule->limits[i].name, rule->limits[i].value,
		       *rule->limits[i].unit == '/' || !*rule->limits[i].unit ? "" : " ",
		       rule->limits[i].unit);
}

void rules_text__print(void)
{
	printf("| rule | severity, at most | what it finds | thresholds |\n");
	printf("|---|---|---|---|\n");
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *rule = rule__get((enum rule_id)i);

		printf("| `%s` | %s | %s: %s | ", rule->id, severity__name(rule->severity),
		       rule->title, rule->about);
		print_limits(rule);
		printf(" |\n");
	}
}
