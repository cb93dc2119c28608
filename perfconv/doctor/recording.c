// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/recording.h"

#include <stdlib.h>
#include <string.h>

#define CLOCK_HERTZ 99u
#define CALIBRATION_HERTZ 2u
#define SWITCH_HERTZ 20u
#define CLOCK_DUMP_BYTES 16384u
#define EVERY_SWITCH_DUMP_BYTES 2048u

static const struct {
	const char *machine, *names;
	uint64_t bits;
} registers[] = {
	{ "x86_64", "ax,bx,cx,dx,si,di,bp,sp,ip,r8,r9,r10,r11,r12,r13,r14,r15", 0xff01ff },
	{ "aarch64",
	  "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,x12,x13,x14,x15,x16,x17,x18,x19,x20,x21,"
	  "x22,x23,x24,x25,x26,x27,x28,x29,lr,sp,pc",
	  0x1ffffffff },
};

size_t recording__events(const struct recording *r, struct recorded_event out[RECORDING_EVENTS])
{
	bool dumps = !r->frame_pointers;
	size_t n = 0;

	out[n++] = (struct recorded_event){ r->cycles ? EVENT_CYCLES : EVENT_CPU_CLOCK, "oncpu",
					    CLOCK_HERTZ, dumps ? CLOCK_DUMP_BYTES : 0 };
	if (dumps)
		out[n++] = (struct recorded_event){ EVENT_CPU_CLOCK, "calib", CALIBRATION_HERTZ,
						    RECORDING_DUMP_BYTES };
	if (r->kernel && (dumps || !r->switches))
		out[n++] = (struct recorded_event){ EVENT_SWITCHES, "switch", SWITCH_HERTZ,
						    dumps ? RECORDING_DUMP_BYTES : 0 };
	if (r->switches)
		out[n++] = (struct recorded_event){ EVENT_SCHED_SWITCH, NULL, 0,
						    dumps ? EVERY_SWITCH_DUMP_BYTES : 0 };
	return n;
}

uint64_t recording__registers(const struct recording *r)
{
	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		if (!strcmp(registers[i].machine, r->machine))
			return registers[i].bits;
	return 0;
}

size_t recording__buffer_bytes(const struct recording *r)
{
	return r->small_buffer ? (size_t)512 << 10 : (size_t)4 << 20;
}

void command__add(struct command *c, const char *word)
{
	vec__push(&c->words, mem__strdup(word));
}

void command__release(struct command *c)
{
	for (size_t i = 0; i < c->words.n; i++)
		free(c->words.data[i]);
	vec__release(&c->words);
}

static void add_event(struct command *c, const struct recording *r, const struct recorded_event *e)
{
	static const char *const names[] = {
		[EVENT_CYCLES] = "cycles",
		[EVENT_CPU_CLOCK] = "cpu-clock",
		[EVENT_SWITCHES] = "context-switches",
		[EVENT_SCHED_SWITCH] = "sched:sched_switch",
	};
	char *chain = e->dump_bytes ? mem__format("call-graph=dwarf,stack-size=%u", e->dump_bytes)
				    : mem__strdup("call-graph=fp");
	char *word = e->name ? mem__format("%s/freq=%u,%s,name=%s/%s", names[e->kind], e->hertz,
					   chain, e->name, r->kernel ? "" : "u")
			     : mem__format("%s/%s/", names[e->kind], chain);

	command__add(c, "-e");
	command__add(c, word);
	free(word);
	free(chain);
}

static void add_registers(struct command *c, const struct recording *r)
{
	for (size_t i = 0; i < sizeof(registers) / sizeof(*registers); i++)
		if (!strcmp(registers[i].machine, r->machine)) {
			char *word = mem__format("--user-regs=%s", registers[i].names);

			command__add(c, word);
			free(word);
		}
}

void recording__command(const struct recording *r, struct command *out)
{
	static const char *const sudo[] = { "sudo", "-n" };
	static const char *const always[] = { "-k", "CLOCK_MONOTONIC", "--sample-identifier",
					      "--switch-events" };
	struct recorded_event events[RECORDING_EVENTS];
	size_t n = recording__events(r, events);

	for (size_t i = 0; r->sudo && i < sizeof(sudo) / sizeof(*sudo); i++)
		command__add(out, sudo[i]);
	command__add(out, "perf");
	command__add(out, "record");
	command__add(out, "-N");
	command__add(out, "-m");
	command__add(out, r->small_buffer ? "512K" : "4M");
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		command__add(out, always[i]);
	if (!r->frame_pointers)
		command__add(out, "-d");
	for (size_t i = 0; i < n; i++)
		add_event(out, r, &events[i]);
	if (!r->frame_pointers || r->switches)
		add_registers(out, r);
}

size_t recording__ladder(const struct recording *best, bool privileged,
			 struct recording out[RECORDING_STEPS])
{
	size_t n = 0;

	out[n++] = *best;
	if (!privileged) {
		out[n] = *best;
		out[n++].small_buffer = true;
	}
	out[n] = out[n - 1];
	out[n++].switches = false;
	out[n] = out[n - 1];
	out[n++].kernel = false;
	return n;
}
