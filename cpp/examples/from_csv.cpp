// Reads a table of numbers whose last column is the label, chooses three of the others, and prints the model as a table.
//   ksparse_from_csv rare_events.csv
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ksparse/ksparse.hpp>
#include <sstream>
#include <string>
#include <vector>

int main(int count, char** arguments) {
  std::ifstream file(count > 1 ? arguments[1] : "rare_events.csv");
  std::vector<std::string> names;
  std::vector<double> values;  // line by line
  std::string line, field;
  std::getline(file, line);
  for (std::istringstream fields(line); std::getline(fields, field, ',');) names.push_back(field);
  while (std::getline(file, line))
    for (std::istringstream fields(line); std::getline(fields, field, ',');)
      values.push_back(std::strtod(field.c_str(), nullptr));
  const Eigen::Index width = Eigen::Index(names.size());
  if (width < 2 || values.empty() || Eigen::Index(values.size()) % width != 0) {
    std::fprintf(stderr, "no table of numbers with a line of names\n");
    return 1;
  }

  // X is read where it lies: rows of the table without their last number.
  const Eigen::Index n = Eigen::Index(values.size()) / width, p = width - 1;
  const ksparse::RowView design(values.data(), n, p, width);
  using Label = Eigen::Map<const Eigen::VectorXd, 0, Eigen::InnerStride<>>;
  const Eigen::VectorXd y = Label(values.data() + p, n, Eigen::InnerStride<>(width));

  ksparse::Options options;
  options.k = 3;
  options.ridge = 1e-3;
  const ksparse::FitResult fit = ksparse::fit(design, y, ksparse::Focal{0.75, 2.0}, options);
  if (fit.info.status == ksparse::Status::invalid_input) {
    std::fprintf(stderr, "%s\n", fit.info.message.c_str());  // says which row and column, or which label
    return 1;
  }
  std::printf("%ld rows, %ld features, F = %.6f (%s)\n", long(n), long(p), fit.objective, to_string(fit.info.status));
  for (const ksparse::Index j : fit.support) std::printf("  %-12s %+.4f\n", names[std::size_t(j)].c_str(), fit.coef[j]);
  std::printf("  %-12s %+.4f\n", "(intercept)", fit.intercept);
  return fit.info.status != ksparse::Status::converged;
}
