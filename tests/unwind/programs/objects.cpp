// SPDX-License-Identifier: GPL-2.0
// C++ that is stopped at random: virtual calls, templates, exceptions, std's own.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Node {
	virtual ~Node() = default;
	virtual long visit(int depth) = 0;
};

struct Leaf : Node {
	long visit(int depth) override
	{
		if (depth % 7 == 3)
			throw std::runtime_error("seven");
		std::ostringstream out;
		out << depth << ' ' << 1.5 * depth;
		return static_cast<long>(out.str().size());
	}
};

struct Inner : Node {
	std::vector<std::unique_ptr<Node>> children;
	long visit(int depth) override
	{
		long sum = 0;
		for (auto &child : children) {
			try {
				sum += child->visit(depth + 1);
			} catch (const std::exception &e) {
				sum += static_cast<long>(std::string(e.what()).size());
			}
		}
		return sum;
	}
};

static std::unique_ptr<Node> tree(int depth)
{
	if (!depth)
		return std::make_unique<Leaf>();
	auto inner = std::make_unique<Inner>();
	for (int i = 0; i < 3; i++)
		inner->children.push_back(tree(depth - 1));
	return inner;
}

int main()
{
	volatile long sink = 0;
	auto root = tree(5);
	for (;;) {
		sink = sink + root->visit(0);
		std::map<std::string, int> words;
		std::function<void(int)> count = [&](int n) {
			words["word " + std::to_string(n % 17)]++;
			if (n)
				count(n - 1);
		};
		count(200);
		std::regex pattern("w(or)d ([0-9]+)");
		for (auto &[word, n] : words)
			sink = sink + std::regex_match(word, pattern) + n;
		std::vector<int> v(5000);
		for (size_t i = 0; i < v.size(); i++)
			v[i] = static_cast<int>(i * 7919 % 5003);
		std::sort(v.begin(), v.end(), [](int a, int b) { return a % 1000 < b % 1000; });
	}
}
