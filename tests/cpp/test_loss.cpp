// Losses: values against mpmath, packs against doubles, derivatives against the complex step, finiteness everywhere.
#include <complex>
#include <ksparse/ksparse.hpp>
#include <random>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "close.hpp"

using namespace ksparse;

namespace {

struct Reference {
  double margin, gamma, value, slope, curvature;
};

// Focal loss with weight 0.25 of the row's class, 60 digits, by
//   p, q, sp = s(m), s(-m), log1p(exp(-m));  a q^g sp,  -a q^g (g p sp + q),  a p q^g (g sp (g p - q) + (2g + 1) q)
// where s(x) = 1 / (1 + exp(-x)) in mpmath.
const std::vector<Reference> references = {
    {-800, 0, 200.0, -0.25, 0},
    {-800, 2, 200.0, -0.25, 0},
    {-37, 0, 9.2500000000000000213, -0.24999999999999997867, 2.1332619064360160845e-17},
    {-37, 2, 9.2499999999999984427, -0.25000000000000151462, -1.4719507154408505813e-15},
    {-37, 2.5, 9.2499999999999980481, -0.2500000000000018986, -1.8452715490671531031e-15},
    {-1.5, 0, 0.42535331949568810237, -0.2043936190484109149, 0.037286613017583214125},
    {-1.5, 2, 0.28431807890479413422, -0.24035617186759005501, 0.077654386846646466048},
    {-1.5, 2.5, 0.25707990952909491832, -0.24077859867571030098, 0.09282899932438949802},
    {0.25, 0, 0.14398485496971089055, -0.10945587477855047399, 0.061533520684399586896},
    {0.25, 2, 0.027600372816213785594, -0.052014094781216074816, 0.08028139271179422009},
    {0.25, 2.5, 0.018262678853746696566, -0.039550231610949242881, 0.071664510243083905004},
    {37, 0, 2.1332619064360163576e-17, -2.1332619064360162665e-17, 2.1332619064360160845e-17},
    {37, 2, 1.5532898967120268778e-49, -4.659869690136080302e-49, 1.3979609070408239581e-48},
    {37, 2.5, 1.4348437231324852333e-57, -5.0219530309636979494e-57, 1.757683560837294117e-56},
    {300, 0, 1.2870500556030034453e-131, -1.2870500556030034453e-131, 1.2870500556030034453e-131},
};

template <class T>
T naive_focal(T m, double gamma) {
  return std::pow(1.0 / (1.0 + std::exp(m)), gamma) * std::log(1.0 + std::exp(-m));
}

template <class T>
T naive_focal_slope(T m, double gamma) {
  const T p = 1.0 / (1.0 + std::exp(-m)), q = 1.0 / (1.0 + std::exp(m));
  return -std::pow(q, gamma) * (gamma * p * std::log(1.0 + std::exp(-m)) + q);
}

}  // namespace

TEST_CASE("focal_terms_agree_with_mpmath", "[loss]") {
  for (const Reference& r : references) {
    const auto terms = Focal{0.25, r.gamma}(r.margin, 0.25);
    CAPTURE(r.margin, r.gamma);
    CHECK(close(terms.value, r.value, 1e-13));
    CHECK(close(terms.slope, r.slope, 1e-13));
    CHECK(close(terms.curvature, r.curvature, 1e-13, 1e-300));
  }
}

TEST_CASE("logistic_is_focal_with_gamma_zero", "[loss]") {
  for (double m = -50; m < 50; m += 0.37) {
    const auto logistic = Logistic{}(m, 2.0), focal = Focal{0.5, 0.0}(m, 2.0);
    CHECK(close(logistic.value, focal.value, 1e-15));
    CHECK(close(logistic.slope, focal.slope, 1e-15));
    CHECK(close(logistic.curvature, focal.curvature, 1e-14, 1e-300));
  }
}

TEST_CASE("packs_and_doubles_give_the_same_terms", "[loss]") {
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.0, 3.7, 4.0, 10.0})
    for (double m = -750; m < 750; m += 0.93) {
      const Focal loss{0.3, gamma};
      const auto one = loss(m, 0.7);
      const auto pack = loss(Pack(m), Pack(0.7));
      double out[Pack::size];
      CAPTURE(m, gamma);
      pack.value.store(out);
      CHECK(close(out[0], one.value, 1e-12, 1e-300));
      pack.slope.store(out);
      CHECK(close(out[0], one.slope, 1e-12, 1e-300));
      pack.curvature.store(out);
      CHECK(close(out[0], one.curvature, 1e-12, 1e-14 * std::abs(one.slope) + 1e-300));
    }
}

TEST_CASE("derivatives_agree_with_the_complex_step", "[loss]") {
  // f'(x) = Im f(x + ih) / h has no cancellation, so h may be as small as one likes (Squire & Trapp 1998).
  constexpr double h = 1e-30;
  for (const double gamma : {0.0, 0.5, 1.0, 2.0, 5.0})
    for (double m = -15; m < 15; m += 0.31) {
      const auto terms = Focal{0.5, gamma}(m, 1.0);
      const std::complex<double> z(m, h);
      CAPTURE(m, gamma);
      CHECK(close(terms.slope, naive_focal(z, gamma).imag() / h, 1e-8, 1e-13));
      CHECK(close(terms.curvature, naive_focal_slope(z, gamma).imag() / h, 1e-8, 1e-13));
    }
}

TEST_CASE("terms_are_finite_for_every_finite_margin", "[loss]") {
  for (const double gamma : {0.0, 0.3, 1.0, 2.0, 3.0, 4.0, 10.0})
    for (const double size : {0.0, 1e-300, 1.0, 36.7, 708.0, 709.8, 745.0, 1e3, 1e20, 1e300})
      for (const double sign : {-1.0, 1.0}) {
        const auto terms = Focal{0.5, gamma}(Pack(sign * size), Pack(1.0));
        CAPTURE(gamma, sign * size);
        CHECK(std::isfinite(terms.value.sum()));
        CHECK(std::isfinite(terms.slope.sum()));
        CHECK(std::isfinite(terms.curvature.sum()));
      }
}

TEST_CASE("focal_names_a_broken_parameter", "[loss]") {
  CHECK(Focal{0.0, 2.0}.problem().value().find("alpha") == 0);
  CHECK(Focal{0.5, -1.0}.problem().value().find("gamma") == 0);
  CHECK(!Focal{0.5, 2.0}.problem());
}

namespace {

/// Calls check(loss, responses as the core takes them) for every loss.
template <class Check>
void for_every_loss(const Check& check) {
  const auto one = [&](const auto& loss) {
    using Loss = std::decay_t<decltype(loss)>;
    constexpr Responses kind = internal::responses_of<Loss>();
    const std::vector<double> all = kind == Responses::binary         ? std::vector<double>{-1.0, 1.0}
                                    : kind == Responses::finite       ? std::vector<double>{-3.5, 0.0, 2.25}
                                    : kind == Responses::not_negative ? std::vector<double>{0.0, 1e-6, 3.0, 1e4}
                                                                      : std::vector<double>{1e-6, 3.0, 1e4};
    for (const double response : all) check(loss, response);
  };
  one(Logistic{});
  one(Focal{0.3, 2.0});
  one(AsymmetricFocal{0.5, 4.0});
  one(SquaredHinge{});
  one(HuberisedHinge{0.5});
  one(Probit{});
  one(Cloglog{});
  one(Exponential{});
  one(Squared{});
  one(Huber{1.35});
  one(Poisson{});
  one(Gamma{});
  one(Tweedie{1.4});
  one(NegativeBinomial{0.7});
}

/// Terms by eta of a loss of either form.
template <class Loss, class T>
LossTerms<T> terms_of(const Loss& loss, const T& eta, const T& response) {
  if constexpr (internal::is_margin_loss<Loss>) {
    const auto terms = loss(response * eta, T(1.0));
    return {terms.value, response * terms.slope, terms.curvature};
  } else {
    return loss(eta, response, T(1.0));
  }
}

}  // namespace

TEST_CASE("packs_and_doubles_give_the_same_terms_of_every_loss", "[loss]") {
  for_every_loss([](const auto& loss, double response) {
    for (double eta = -600; eta < 600; eta += std::abs(eta) < 20 ? 0.173 : 9.31) {
      const auto one = terms_of(loss, eta, response);
      const auto pack = terms_of(loss, Pack(eta), Pack(response));
      double out[Pack::size];
      CAPTURE(eta, response);
      pack.value.store(out);
      CHECK(close(out[0], one.value, 1e-12, 1e-16 * std::abs(one.slope) + 1e-300));
      pack.slope.store(out);
      CHECK(close(out[0], one.slope, 1e-12, 1e-15 * (1 + std::abs(eta)) * std::abs(one.curvature) + 1e-300));
      pack.curvature.store(out);
      CHECK(close(out[0], one.curvature, 1e-12, 1e-14 * std::abs(one.slope) + 1e-300));
    }
  });
}

TEST_CASE("the_convex_curvature_is_that_of_a_parabola_above_the_loss", "[loss]") {
  // So that a Newton step with it lowers F, and no Hessian is singular for want of curvature.
  const auto check = [](const auto& loss, double response) {
    for (double at = -6; at < 6; at += 0.137) {
      const auto here = terms_of(loss, at, response);
      double curvature;
      if constexpr (internal::is_margin_loss<std::decay_t<decltype(loss)>>)
        curvature = loss.convex_curvature(response * at, 1.0);
      else
        curvature = loss.convex_curvature(at, response, 1.0);
      CHECK(curvature > 0);
      for (double other = -9; other < 9; other += 0.0931) {
        const double step = other - at, parabola = here.value + step * (here.slope + 0.5 * curvature * step);
        CAPTURE(at, other, response);
        CHECK(terms_of(loss, other, response).value <= parabola + 1e-12);
      }
    }
  };
  for (const double sign : {-1.0, 1.0}) {
    check(SquaredHinge{}, sign);
    check(HuberisedHinge{0.5}, sign);
    check(HuberisedHinge{2.0}, sign);
  }
  check(Huber{1.35}, 0.4);
}

TEST_CASE("a_unit_of_the_response_is_a_factor_of_the_loss", "[loss]") {
  constexpr double unit = 8;
  for (const double eta : {-30.0, -1.0, 0.2, 5.0}) {
    const Huber huber{1.35};
    CHECK(close(huber(unit * eta, unit * 0.3, 1.0).value, unit * unit * huber.in_units(unit)(eta, 0.3, 1.0).value, 1e-14));
    CHECK(close(Squared{}(unit * eta, unit * 0.3, 1.0).value, unit * unit * Squared{}(eta, 0.3, 1.0).value, 1e-14));
  }
  const auto check = [](const auto& loss) {
    for (const double unit : {1.0 / 64, 8.0, 1024.0})
      for (const double eta : {-3.0, -1.0, 0.2, 5.0}) {
        const ResponseUnits units = loss.units(unit);
        const double y = 0.3, of_user = loss(units.scale * eta + units.shift, units.response * y, 1.0).value;
        CHECK(close(of_user, units.to_user(loss.in_units(units.response)(eta, y, units.weight).value), 1e-12));
      }
  };
  check(Squared{});
  check(Huber{1.35});
  check(Poisson{});
  check(Gamma{});
  check(Tweedie{1.3});
  check(NegativeBinomial{0.7});
}

TEST_CASE("losses_name_a_broken_parameter", "[loss]") {
  CHECK(HuberisedHinge{0}.problem().value().find("width") == 0);
  CHECK(Huber{-1}.problem().value().find("threshold") == 0);
  CHECK(Tweedie{2}.problem().value().find("power") == 0);
  CHECK(NegativeBinomial{0}.problem().value().find("dispersion") == 0);
  CHECK(AsymmetricFocal{0, -1}.problem().value().find("gamma_negative") == 0);
}
