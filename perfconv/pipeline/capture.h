/* SPDX-License-Identifier: GPL-2.0 */
/*
 * capture - all stages over one capture, in order; owns their memory.
 *
 *     perfdata -> machine + unwind -> store      one pass over the records
 *     symbol + python -> resolve -> profile      over what was stored
 */
#ifndef PERFCONV_PIPELINE_CAPTURE_H
#define PERFCONV_PIPELINE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/report.h"
#include "perfconv/analyze/rules.h"
#include "perfconv/base/errbuf.h"
#include "perfconv/bundle/bundle.h"
#include "perfconv/machine/answers.h"
#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/machine/sidefiles.h"
#include "perfconv/perfdata/perfdata.h"
#include "perfconv/pipeline/dumps.h"
#include "perfconv/profile/filter.h"
#include "perfconv/profile/profile.h"
#include "perfconv/resolve/lines.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/resolve/stitch.h"
#include "perfconv/resolve/waits.h"
#include "perfconv/sidefile/threads_file.h"
#include "perfconv/store/store.h"
#include "perfconv/store/switches.h"

enum capture_view {
	VIEW_AUTO, /* wall where the capture tells of every switch */
	VIEW_WALL, /* all time: running, and waiting with its reason */
	VIEW_CPU,  /* only time on a CPU */
};

/* As max_samples, where nobody looks at the timelines: so few that they take no room. */
#define CAPTURE_NO_TIMELINES 1000u

struct capture_options {
	const char *path;	  /* the perf.data or bundle; "-" is standard input */
	const char *const *files; /* if files_n > 1: of one series, path the first of them */
	size_t files_n;
	const char *const *events; /* names of the events to show; "all": each with samples */
	size_t events_n;	   /* 0: the one that measures time */
	const char *side_dir;	   /* NULL: beside the capture, then where it was recorded */
	const char *symfs;	   /* folder that stands for the recorded machine's /; NULL: none */
	bool debuginfod;	   /* ask servers for files that are not here */
	struct resolve_options resolve;
	enum capture_view view;
	double from_s, to_s; /* seconds since the capture's start; to_s 0: its end */
	struct profile_filter filter;
	struct rules *rules;  /* what to look for; NULL: nothing */
	const char *scenario; /* for the rules; NULL: what the recorder wrote down, if it did */
	uint64_t max_samples; /* of the timelines in all; 0: as many as there are */
	bool strict;	      /* what is odd in the capture is an error */
	bool keep_answers;    /* for capture__pack() */
	bool keep_dumps;      /* the same, if it redacts */
	bool no_stitch;	      /* stacks that were cut stay cut */
	uint32_t max_dump;    /* stack dumps are cut to so many bytes, but for calibration; 0: no */
	bool hits;	      /* count samples per stack, see struct profile */
	uint32_t texts;	      /* so many tracepoint samples are kept as text */
};

#define CAPTURE_MODES 8u

/* Samples of one thread and event, doubled ones included. */
struct capture_count {
	uint64_t samples;
	uint64_t last_ns; /* time of the latest */
	uint64_t endings[STACK_ENDINGS];
	uint64_t stitched; /* of those that are complete */
};

/* What the kernel said it could not record, by the thread or event its record names. */
struct capture_loss {
	uint64_t lost;	    /* records of any kind */
	uint64_t recounted; /* the same, by event, as perf counted them at the end */
	uint64_t throttled; /* times that sampling was held back */
};

/* A tracepoint sample in the kernel's words. */
struct capture_text {
	uint64_t time_ns;
	uint32_t thread, event;
	char *text;
};

struct capture {
	struct capture_options options; /* strings borrowed; of a bundle, what it holds */
	struct bundle *bundle;		/* NULL: the capture is none */
	struct debuginfod *debuginfod;	/* NULL: no server is asked */
	struct answers answers;		/* if they are kept */
	struct dumps dumps;		/* if they are */
	struct perfdata *data;
	struct machine machine;
	struct images images;
	struct sidefiles sidefiles;
	struct store store;
	struct stitch_counts stitch;
	struct symbols *symbols;
	struct python *python;
	struct lines *lines;
	struct resolver *resolver;
	struct switches switches;
	struct threads_file *threads_file; /* NULL: none beside the capture */
	struct errbuf threads_trouble;	   /* why one that is there is of no use; or "" */
	struct waits *waits;		   /* NULL: switches are not known */
	struct profile *profile;	   /* of the first event to show */
	VEC(struct profile *) others;
	bool analyzed; /* the report is filled in */
	struct report report;
	bool exact;		   /* every switch of every thread is known */
	bool unwindable;	   /* the architecture's stack copies can be unwound */
	uint64_t frames_capped;	   /* stacks that reached UNWIND_MAX_FRAMES */
	uint64_t leaf_callers;	   /* callchains completed by one; see collect.h */
	uint64_t deferred_missing; /* samples whose user part never came */
	uint64_t doubled;	   /* samples dropped: same event, thread and time as one before */
	struct idmap count_keys;   /* (thread, event) */
	VEC(struct capture_count) counts;
	VEC(struct capture_loss) losses;       /* by thread id; may be shorter */
	VEC(struct capture_loss) event_losses; /* by event; may be shorter */
	uint64_t modes[CAPTURE_MODES];	       /* samples by PERF_RECORD_MISC_CPUMODE */
	uint64_t compat;      /* samples of 32-bit tasks on a 64-bit machine, by their registers */
	uint64_t compat_lost; /* those whose stack copies cannot be unwound */
	VEC(struct capture_text) texts;
	uint64_t first_ns, last_ns; /* of all records with a time */
};

/**
 * capture__read - read, unwind, name and profile a capture
 *
 * Return: 0 with *@out set, freed by capture__free(); -errno with a message,
 * -EBADMSG if the capture is odd and that is not wanted.
 */
int capture__read(struct capture **out, const struct capture_options *options, struct errbuf *err);
void capture__free(struct capture *c);

/** capture__file - file @i of those that the capture is read from, as its maker named it. */
const char *capture__file(const struct capture *c, size_t i);

#endif
