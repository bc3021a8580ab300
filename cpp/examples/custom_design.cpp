// A custom X: genotypes of 0, 1 or 2 copies, four in a byte, which take a thirty-second of the memory of doubles. It needs only
// three functions; gathered.hpp has the rest.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ksparse/design/gathered.hpp>
#include <ksparse/ksparse.hpp>
#include <random>
#include <vector>

class Genotypes final : public ksparse::GatheredDesign {
 public:
  Genotypes(ksparse::Index people, ksparse::Index variants)
      : people_(people), variants_(variants), bytes_(std::size_t(variants * stride())) {}

  void set(ksparse::Index person, ksparse::Index variant, unsigned copies) {
    std::uint8_t& byte = bytes_[std::size_t(variant * stride() + person / 4)];
    byte = std::uint8_t(byte | copies << 2 * (person % 4));
  }

  ksparse::Index rows() const noexcept override { return people_; }
  ksparse::Index columns() const noexcept override { return variants_; }
  void gather(ksparse::Index column, ksparse::Index first, ksparse::Index rows, double* target) const noexcept override {
    const std::uint8_t* const variant = bytes_.data() + column * stride();
    for (ksparse::Index i = first; i < first + rows; ++i) *target++ = variant[i / 4] >> 2 * (i % 4) & 3;
  }

 private:
  ksparse::Index stride() const noexcept { return (people_ + 3) / 4; }

  ksparse::Index people_, variants_;
  std::vector<std::uint8_t> bytes_;  // by variant
};

int main() {
  const ksparse::Index people = 400, variants = 1000;
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> uniform;
  Genotypes genotypes(people, variants);
  Eigen::MatrixXd X(people, variants);  // the same as doubles, for comparison
  for (ksparse::Index j = 0; j < variants; ++j) {
    const double frequency = 0.05 + 0.45 * uniform(generator);
    for (ksparse::Index i = 0; i < people; ++i) {
      const unsigned copies = unsigned(uniform(generator) < frequency) + unsigned(uniform(generator) < frequency);
      genotypes.set(i, j, copies);
      X(i, j) = copies;
    }
  }
  const Eigen::VectorXd y = Eigen::VectorXd::NullaryExpr(people, [&](Eigen::Index i) {
    return double(uniform(generator) < 1 / (1 + std::exp(1 - 2 * X(i, 12) + 2 * X(i, 345) - 2 * X(i, 678))));
  });

  ksparse::Options options;
  options.k = 3;
  const ksparse::FitResult packed = ksparse::fit(genotypes, y, ksparse::Logistic{}, options);
  const ksparse::FitResult dense = ksparse::fit(X, y, ksparse::Logistic{}, options);
  std::printf("F = %.6f  %s:", packed.objective, to_string(packed.info.status));
  for (const ksparse::Index j : packed.support) std::printf("  variant %ld %+.3f", long(j), packed.coef[j]);
  std::printf("\n");
  return !(packed.support == dense.support && std::abs(packed.objective - dense.objective) < 1e-12 &&
           packed.info.status == ksparse::Status::converged);
}
