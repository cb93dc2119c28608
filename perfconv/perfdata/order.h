/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order - a queue that gives records back in time order with bounded memory.
 *
 * perf writes its per-CPU buffers one after the other and marks each pass with
 * FINISHED_ROUND.  A record of round n may be older than ones of round n - 1,
 * but never older than the highest time of round n - 2:
 *
 *     round 1        | round 2        | round 3
 *     cpu0 1 4 7     | cpu0 9 12      | cpu0 13 ...
 *     cpu1 2 3 6     | cpu1 5 8 10    | cpu1 11 ...
 *          max 7     ^      max 12    ^
 *                    nothing          up to 7 may go
 *
 * So at the end of a round everything up to the highest time of the *previous*
 * round is due.  Equal times keep file order.
 *
 * Waiting records are copied into chunks that are freed when their last record
 * has gone.  A capture without rounds, or with huge ones, would pile up so: once
 * ORDER_HELD_BYTES are held, a record that can be read again is left in the file
 * and costs 24 bytes.
 */
#ifndef PERFCONV_PERFDATA_ORDER_H
#define PERFCONV_PERFDATA_ORDER_H

#include <stddef.h>
#include <stdint.h>

#define ORDER_HELD_BYTES ((size_t)8 << 20)

/* Records that cannot be left in the file (compressed, piped) and wait without a
 * round's end: beyond this the oldest go, in order or not. */
#define ORDER_MAX_HELD_BYTES ((size_t)512 << 20)

struct order;

struct order_record {
	uint64_t time_ns;
	uint64_t offset; /* in the file, for messages */
	const uint8_t *bytes;
	size_t n;
};

struct order *order__new(void);

/** order__set_file - where order__queue_at() records can be read again; borrowed. */
void order__set_file(struct order *o, int fd);

void order__free(struct order *o);

/**
 * order__queue - keep a copy of a record of @n bytes
 *
 * Time 0 stands for "no time": what perf synthesises comes before all else.
 */
void order__queue(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes, size_t n);

/**
 * order__queue_at - the same for a record that lies at @offset of the order's
 * file as it is and has at most 65535 bytes, so that it need not be copied
 */
void order__queue_at(struct order *o, uint64_t time_ns, uint64_t offset, const void *bytes,
		     size_t n);

/** order__round - a round has ended: what is due becomes ready. */
void order__round(struct order *o);

/** order__flush - the capture has ended: everything becomes ready. */
void order__flush(struct order *o);

/**
 * order__next - take the next ready record
 *
 * Return: the record, its bytes valid until the next call; NULL if none is
 * ready.
 */
const struct order_record *order__next(struct order *o);

/** order__unreadable - records left in the file that could not be read again. */
uint64_t order__unreadable(const struct order *o);

/** order__unordered - records queued with a time before one already given out.
 */
uint64_t order__unordered(const struct order *o);

#endif
