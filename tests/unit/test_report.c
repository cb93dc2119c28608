// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "perfconv/analyze/report.h"
#include "perfconv/analyze/rules.h"
#include "tests/unit/support.h"

static void add(struct report *r, enum rule_id rule, enum severity severity, double amount)
{
	struct finding *f = report__finding(r);

	f->rule = rule__get(rule)->id;
	f->severity = severity;
	f->amount = amount;
}

static void findings_are_sorted(void **state)
{
	struct report r;

	(void)state;
	report__init(&r);
	add(&r, RULE_NATIVE, SEVERITY_INFO, 9);
	add(&r, RULE_POLLING, SEVERITY_MEDIUM, 1);
	add(&r, RULE_POLLING, SEVERITY_MEDIUM, 2);
	add(&r, RULE_GIL_CONVOY, SEVERITY_HIGH, 50);
	add(&r, RULE_BUSY_WAIT, SEVERITY_HIGH, 3);
	report__sort(&r);
	assert_string_equal(r.findings.data[0].rule, "busy-wait");
	assert_string_equal(r.findings.data[1].rule, "gil-convoy");
	assert_string_equal(r.findings.data[2].rule, "polling");
	assert_true(r.findings.data[2].amount > r.findings.data[3].amount);
	assert_string_equal(r.findings.data[4].rule, "native");
	report__release(&r);
}

static void strings_belong_to_the_report(void **state)
{
	char text[] = "here";
	struct report r;
	const char *kept;

	(void)state;
	report__init(&r);
	kept = report__string(&r, text);
	text[0] = 't';
	assert_string_equal(kept, "here");
	assert_string_equal(report__format(&r, "%d ms", 3), "3 ms");
	assert_string_equal(report__string(&r, ""), "");
	report__release(&r);
}

static void every_rule_can_be_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < RULES; i++)
		assert_int_equal(rule__find(rule__get((enum rule_id)i)->id), i);
	assert_int_equal(rule__find("no-such-rule"), RULES);
}

static void threads_have_groups_and_targets(void **state)
{
	struct rules r;

	(void)state;
	rules__init(&r);
	assert_string_equal(rules__group(&r, "MavLinkExternalProxy-Recv"), "mavlink worker");
	assert_string_equal(rules__group(&r, "LocalDBProxy_0"), "proxy worker");
	assert_string_equal(rules__group(&r, "else"), "");
	assert_non_null(rules__target(&r, "idle-no-leaffc", "mavlink worker"));
	assert_null(rules__target(&r, "mission-execution", "mavlink worker"));
	assert_null(rules__target(&r, "idle-no-leaffc", "main"));
	rules__release(&r);
}

static int read_rules(const char *folder, const char *text, const char *scenario, struct rules *r,
		      struct errbuf *err)
{
	const char *path = scratch__write(folder, "rules.json", text, strlen(text));

	rules__init(r);
	return rules__read(r, path, scenario, err);
}

static void a_file_changes_rules(void **state)
{
	struct rules r;

	assert_int_equal(
		read_rules(*state,
			   "{\"rules\": {\"busy-wait\": {\"busy\": 60}, \"gc\": false},"
			   " \"groups\": {\"Redis*\": \"mine\"},"
			   " \"targets\": {\"mine\": {\"cpu\": 1, \"asleep\": 98}},"
			   " \"scenarios\": {\"rc-*\": {\"rules\": {\"busy-wait\": {\"busy\": 70}},"
			   " \"targets\": {\"mine\": {\"cpu\": 2, \"asleep\": 97}}}}}",
			   "rc-stream", &r, NULL),
		0);
	assert_true(r.off[RULE_GC]);
	assert_false(r.off[RULE_BUSY_WAIT]);
	assert_true(rules__limit(&r, RULE_BUSY_WAIT, 0) > 69);
	assert_string_equal(rules__group(&r, "RedisProxy_0"), "mine");
	assert_string_equal(rules__group(&r, "MQTTProxy_0"), "mqtt worker");
	assert_true(rules__target(&r, "rc-stream", "mine")->cpu_percent > 1.5);
	rules__release(&r);
}

static void a_file_of_another_scenario_changes_nothing(void **state)
{
	struct rules r;

	assert_int_equal(read_rules(*state,
				    "{\"scenarios\": {\"rc-*\": {\"rules\": {\"gc\": false}}}}",
				    "idle-no-leaffc", &r, NULL),
			 0);
	assert_false(r.off[RULE_GC]);
	rules__release(&r);
}

static void a_scenario_that_is_refused_changes_nothing(void **state)
{
	struct errbuf err = { "" };
	struct rules r;

	assert_int_equal(
		read_rules(*state,
			   "{\"rules\": {\"gc\": false}, \"scenarios\": {\"good\": {\"rules\":"
			   " {\"native\": false}}, \"bad\": {\"rules\": {\"gc\": true,"
			   " \"no-such-rule\": true}}}}",
			   "good", &r, NULL),
		0);
	r.left_out[RULE_POLLING] = true;
	assert_int_equal(rules__enter(&r, "bad", &err), -EINVAL);
	assert_non_null(strstr(err.text, "no-such-rule"));
	assert_true(r.off[RULE_GC]);
	assert_true(r.off[RULE_NATIVE]);
	assert_int_equal(rules__enter(&r, "else", NULL), 0);
	assert_true(r.off[RULE_GC]);
	assert_false(r.off[RULE_NATIVE]);
	assert_true(r.left_out[RULE_POLLING]);
	rules__release(&r);
}

static void refused(const char *folder, const char *text, const char *word)
{
	struct errbuf err = { "" };
	struct rules r;

	assert_int_equal(read_rules(folder, text, "", &r, &err), -EINVAL);
	assert_non_null(strstr(err.text, word));
	assert_non_null(strstr(err.text, "rules.json"));
	rules__release(&r);
}

static void slips_are_refused(void **state)
{
	refused(*state, "{\"rules\": {\"busywait\": false}}", "busywait");
	refused(*state, "{\"rules\": {\"busy-wait\": {\"bussy\": 1}}}", "bussy");
	refused(*state, "{\"rules\": {\"busy-wait\": {\"busy\": \"1\"}}}", "busy");
	refused(*state, "{\"rules\": {\"busy-wait\": 1}}", "busy-wait");
	refused(*state, "{\"rulez\": {}}", "rulez");
	refused(*state, "{\"rules\": []}", "rules");
	refused(*state, "{\"targets\": {\"x\": {\"cpu\": 1}}}", "asleep");
	refused(*state, "{\"groups\": {\"x\": 1}}", "x");
	refused(*state, "{\"scenarios\": {\"x\": 1}}", "x");
	refused(*state, "{\"scenarios\": {\"x\": {\"scenarios\": {}}}}", "scenarios");
	refused(*state, "[]", "JSON");
	refused(*state, "{", "JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_sorted),
		cmocka_unit_test(strings_belong_to_the_report),
		cmocka_unit_test(every_rule_can_be_found),
		cmocka_unit_test(threads_have_groups_and_targets),
		scratch_test(a_file_changes_rules),
		scratch_test(a_file_of_another_scenario_changes_nothing),
		scratch_test(a_scenario_that_is_refused_changes_nothing),
		scratch_test(slips_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
