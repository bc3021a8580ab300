// Reads a table of numbers whose last column is the label, chooses three of the other columns, and prints the model as a table.
//   ksparse_from_csv rare_events.csv
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ksparse/ksparse.hpp>
#include <string>
#include <vector>

// Returns the fields between the commas of a line, including an empty last field.
std::vector<std::string> fields_of(std::string line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();  // in files from Windows
  std::vector<std::string> fields;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = line.find(',', begin);
    fields.push_back(line.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return fields;
}

// Whether a field is a number and nothing else: strtod alone reads a blank, "NA" or any text as 0.
bool is_number(const std::string& field, double& value) {
  char* end = nullptr;
  value = std::strtod(field.c_str(), &end);
  if (end == field.c_str()) return false;
  while (*end == ' ' || *end == '\t') ++end;
  return *end == '\0' && std::isfinite(value);
}

// Reads the lines after the names; reports a field that is not a number with its line.
bool read_numbers(std::istream& file, const std::vector<std::string>& names, std::vector<double>& values) {
  std::string line;
  for (long number = 2; std::getline(file, line); ++number) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() == 1 && fields[0].empty() && file.peek() == std::ifstream::traits_type::eof())
      return true;  // an empty last line
    if (fields.size() != names.size()) {
      std::fprintf(stderr, "line %ld has %zu fields but the first line names %zu\n", number, fields.size(), names.size());
      return false;
    }
    for (std::size_t j = 0; j < fields.size(); ++j) {
      double value = 0;
      if (!is_number(fields[j], value)) {
        std::fprintf(stderr, "line %ld, column %s: \"%s\" is not a number; fill in or leave out what is missing first\n",
                     number, names[j].c_str(), fields[j].c_str());
        return false;
      }
      values.push_back(value);
    }
  }
  return true;
}

int main(int count, char** arguments) {
  const char* const path = count > 1 ? arguments[1] : "rare_events.csv";
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    std::fprintf(stderr, "cannot read %s\n", path);
    return 1;
  }
  const std::vector<std::string> names = fields_of(line);
  std::vector<double> values;  // line by line
  if (!read_numbers(file, names, values)) return 1;
  const Eigen::Index width = Eigen::Index(names.size());
  if (width < 2 || values.empty()) {
    std::fprintf(stderr, "%s has no table: a line of names, then lines of numbers, the last of which is the label\n", path);
    return 1;
  }

  // X is read in place: the rows of the table without their last number.
  const Eigen::Index n = Eigen::Index(values.size()) / width, p = width - 1;
  const ksparse::RowView design(values.data(), n, p, width);
  using Label = Eigen::Map<const Eigen::VectorXd, 0, Eigen::InnerStride<>>;
  const Eigen::VectorXd y = Label(values.data() + p, n, Eigen::InnerStride<>(width));

  ksparse::Options options;
  options.k = 3;
  options.ridge = 1e-3;
  const ksparse::FitResult fit = ksparse::fit(design, y, ksparse::Focal{0.75, 2.0}, options);
  if (fit.info.status == ksparse::Status::invalid_input) {
    std::fprintf(stderr, "%s\n", fit.info.message.c_str());  // names the row and column, or the label
    return 1;
  }
  std::printf("%ld rows, %ld features, F = %.6f (%s)\n", long(n), long(p), fit.objective, to_string(fit.info.status));
  for (const ksparse::Index j : fit.support) std::printf("  %-12s %+.4f\n", names[std::size_t(j)].c_str(), fit.coef[j]);
  std::printf("  %-12s %+.4f\n", "(intercept)", fit.intercept);
  return fit.info.status != ksparse::Status::converged;
}
