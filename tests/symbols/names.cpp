#include <algorithm>
#include <map>
#include <string>
#include <vector>
#include <regex>
#include <iostream>
#include <sstream>
namespace shop {
template <typename T> struct Basket {
  std::vector<T> items;
  std::map<std::string, T> by_name;
  void add(const std::string &n, T t) { items.push_back(t); by_name[n] = t; }
  T total() const { T s{}; for (auto &i : items) s += i; return s; }
  void sort() { std::sort(items.begin(), items.end(), [](const T &a, const T &b) { return b < a; }); }
};
}
int main(int argc, char **argv) {
  shop::Basket<double> d; shop::Basket<long> l; shop::Basket<std::string> s;
  for (int i = 0; i < 1000 + argc; i++) { auto n = std::to_string(i); d.add(n, i * .5); l.add(n, i); s.add(n, n); }
  d.sort(); l.sort(); s.sort();
  std::regex re("a.*b(c|d)+");
  std::smatch m; std::string t = argv[0];
  std::ostringstream o; o << d.total() << l.total() << s.total().size() << std::regex_search(t, m, re);
  std::cout << o.str() << "\n";
}
