// SPDX-License-Identifier: GPL-2.0
/* Each curve is an area below steps, from 0: a step lasts from the look before to its own. */
#include "perfconv/analyze/usage.h"
#include "perfconv/output/html.h"
#include "perfconv/output/page.h"

#define WIDTH 240.0
#define HEIGHT 30.0

static double megabytes(const struct report_usage *u)
{
	return (double)u->memory_bytes / 1e6;
}

static double percent(const struct report_usage *u)
{
	return u->cpu_percent;
}

static void write_curve(struct sink *s, const struct report *r, const char *class, double most,
			double (*value)(const struct report_usage *u))
{
	double end = (double)r->usage.data[r->usage.n - 1].time_ns;

	html__numbers(s,
		      "<svg class=\"strip\" viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\" "
		      "role=\"img\" data-s=\"%.3f\" aria-label=\"over time\"><path class=\"",
		      WIDTH, HEIGHT, end / 1e9);
	html__raw(s, class);
	html__numbers(s, "\" d=\"M0 %g", HEIGHT);
	for (size_t i = 0; i < r->usage.n; i++) {
		const struct report_usage *u = &r->usage.data[i];

		html__numbers(s, "V%.2fH%.2f", HEIGHT - HEIGHT * value(u) / most,
			      WIDTH * (double)u->time_ns / end);
	}
	html__numbers(s, "V%gz\"/></svg>\n", HEIGHT);
}

static void write_row(struct sink *s, const char *what, const struct usage_figures *f,
		      const char *unit)
{
	const double figures[] = { f->first, f->mean, f->most, f->last };

	html__raw(s, "<tr><td>");
	html__raw(s, what);
	html__raw(s, "</td>");
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		html__numbers(s, "<td class=\"number\">%.1f ", figures[i]);
		html__raw(s, unit);
		html__raw(s, "</td>");
	}
	html__raw(s, "</tr>\n");
}

void page_usage__write(struct sink *s, const struct report *r)
{
	struct usage_summary u;

	if (!usage__sum(r, &u) || !r->usage.data[r->usage.n - 1].time_ns)
		return;
	html__raw(s, "<h2>All threads over time</h2>\n<div class=\"scroll\"><table><tr><th></th>"
		     "<th class=\"number\">first</th><th class=\"number\">mean</th><th "
		     "class=\"number\">most</th><th class=\"number\">last</th></tr>\n");
	write_row(s, "CPU, of one core", &u.cpu_percent, "%");
	write_row(s, "memory", &u.memory_mb, "MB");
	html__numbers(s, "</table></div>\n<p>Memory %+.1f MB in %.1f s, %+.1f MB a minute.</p>\n",
		      u.memory_mb.last - u.memory_mb.first, u.seconds, u.growth_mb_a_minute);
	if (u.cpu_percent.most > 0) {
		html__numbers(s, "<p class=\"dim\">CPU, from 0 to %.1f %%</p>\n",
			      u.cpu_percent.most);
		write_curve(s, r, "cpu", u.cpu_percent.most, percent);
	}
	if (u.memory_mb.most > 0) {
		html__numbers(s, "<p class=\"dim\">memory, from 0 to %.1f MB</p>\n",
			      u.memory_mb.most);
		write_curve(s, r, "disk", u.memory_mb.most, megabytes);
	}
}
