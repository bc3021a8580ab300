// Sparse X by rows (CSR) in the caller's memory. Sums of all columns are computed together, row by row. After the first scan,
// they are needed only for the few listed rows, so later scans are very cheap. Columns that are read individually, i.e. those
// of the working set and the support, are extracted from all rows at once and cached.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sparse.hpp"

namespace ksparse {

namespace kernels {

/// Adds x times the vector of a row to the sums of its columns; those of column j are at (j - first) * sum_stride. Adds (x*x)
/// times another number, if there is one.
template <int packs, class Scalar, class StorageIndex>
void add_row(const StorageIndex* columns, const Scalar* values, Index count, const double* vector, const double* of_squares,
             Index first, Index sum_stride, double* sums) noexcept {
  Pack linear[packs], quadratic[packs];
  for (int v = 0; v < packs; ++v) {
    linear[v] = Pack::load(vector + v * Pack::size);
    if (of_squares) quadratic[v] = Pack::load(of_squares + v * Pack::size);
  }
  for (Index e = 0; e < count; ++e) {
    double* const target = sums + (Index(columns[e]) - first) * sum_stride;
    const Pack x(double{values[e]});
    for (int v = 0; v < packs; ++v) {
      const Pack term = multiply_add(x, quadratic[v], linear[v]);
      multiply_add(x, term, Pack::load(target + v * Pack::size)).store(target + v * Pack::size);
    }
  }
}

template <class Scalar, class StorageIndex>
void add_narrow_row(const StorageIndex* columns, const Scalar* values, Index count, const double* vector, Index first,
                    double* sums) noexcept {
  const double slope = vector[RowTerms::slope], curvature = vector[RowTerms::curvature];
  for (Index e = 0; e < count; ++e) {
    double* const target = sums + (Index(columns[e]) - first) * RowTerms::cross;
    const double x = double(values[e]), xh = x * curvature;
    target[Sums::slope] += x * slope;
    target[Sums::curvature] += xh;
    target[Sums::square] += x * xh;
  }
}

}  // namespace kernels

/// X by compressed rows: the entries of row i are those from starts[i] to starts[i + 1], with increasing columns.
template <class Scalar, class StorageIndex>
class SparseRows final : public SparseDesign {
 public:
  using Matrix = Eigen::SparseMatrix<Scalar, Eigen::RowMajor, StorageIndex>;

  SparseRows(Index rows, Index columns, const StorageIndex* starts, const StorageIndex* column_numbers,
             const Scalar* values) noexcept
      : rows_(rows), columns_(columns), starts_(starts), column_numbers_(column_numbers), values_(values) {}
  /// Makes a view of a SparseMatrix, or of a Map or Ref. X must be compressed; call X.makeCompressed() otherwise.
  template <class Object, std::enable_if_t<internal::is_sparse<Object, true>(), int> = 0>
  explicit SparseRows(const Object& X) noexcept
      : SparseRows(X.rows(), X.cols(), internal::starts_of(X), X.innerIndexPtr(), X.valuePtr()) {}
  explicit SparseRows(Matrix&&) = delete;  // would dangle

  Index rows() const noexcept override { return rows_; }
  Index columns() const noexcept override { return columns_; }
  bool columns_contiguous() const noexcept override { return false; }

  std::optional<std::string> problem() const override {
    if (!starts_) return internal::not_compressed;
    return kernels::problem_of_compressed(rows_, columns_, starts_, column_numbers_, "row", "column");
  }

  void gather(Index column, Index first, Index rows, double* target) const noexcept override {
    for (Index i = 0; i < rows; ++i) {
      const Index entry = find(first + i, column);
      target[i] = entry < begin(first + i + 1) && this->column(entry) == column ? value(entry) : 0.0;
    }
  }

  std::shared_ptr<const Design> by_columns() const override {
    using ByColumns = SparseColumns<Scalar, StorageIndex>;
    const Eigen::Map<const Matrix> here(rows_, columns_, Index(starts_[rows_]), starts_, column_numbers_, values_);
    struct Stored {
      explicit Stored(const Eigen::Map<const Matrix>& by_rows) : matrix(by_rows), view(matrix) {}
      const typename ByColumns::Matrix matrix;
      const ByColumns view;
    };
    const auto stored = std::make_shared<const Stored>(here);
    return {stored, &stored->view};
  }

  std::unique_ptr<SparseReader> reader(Index) const override { return std::make_unique<Reader>(*this); }

 private:
  // The cached columns in compressed form, with increasing indices.
  struct Kept {
    std::vector<Index> numbers, starts{0}, rows;
    std::vector<double> values;

    SparseColumns<double, Index> view(Index n) const noexcept {
      return {n, Index(numbers.size()), starts.data(), rows.data(), values.data()};
    }
    /// Returns the index of a column in the cache, or -1.
    Index find(Index column) const noexcept {
      const auto at = std::lower_bound(numbers.begin(), numbers.end(), column);
      return at != numbers.end() && *at == column ? at - numbers.begin() : -1;
    }
    Index entries() const noexcept { return Index(rows.size()); }
    void clear() {
      numbers.clear();
      starts.assign(1, 0);
      rows.clear();
      values.clear();
    }
    void append(const Kept& from, Index place) {
      const auto begin = std::ptrdiff_t(from.starts[std::size_t(place)]),
                 end = std::ptrdiff_t(from.starts[std::size_t(place) + 1]);
      numbers.push_back(from.numbers[std::size_t(place)]);
      rows.insert(rows.end(), from.rows.begin() + begin, from.rows.begin() + end);
      values.insert(values.end(), from.values.begin() + begin, from.values.begin() + end);
      starts.push_back(entries());
    }
  };

  class Reader final : public SparseReader {
   public:
    explicit Reader(const SparseRows& design) : design_(design) { wanted_.reset(design.columns()); }

    bool fetch(const Columns& columns, const Interrupt& interrupt) override {
      asked_.clear();
      for (Index c = 0; c < columns.count; ++c) asked_.push_back(columns[c]);
      std::sort(asked_.begin(), asked_.end());
      asked_.erase(std::unique(asked_.begin(), asked_.end()), asked_.end());
      missing_.clear();
      for (const Index column : asked_)
        if (kept_.find(column) < 0) missing_.push_back(column);
      if (missing_.empty()) return true;
      if (!pick_out_missing(interrupt)) return false;
      merge();
      return true;
    }

    void entries(Index column, EntryList& list) override {
      const Index place = place_of(column);
      kept().entries(place, list);
    }
    void gather(Index column, Index first, Index rows, double* target) override {
      const Index place = place_of(column);
      kept().gather(place, first, rows, target);
    }

    bool class_moments(const RowClasses& classes, const ClassMoments& moments, const Interrupt& interrupt) override {
      for (double* const target : moments.of_class) std::fill_n(target, 2 * design_.columns(), 0.0);
      return for_rows(design_.rows(), nullptr, interrupt, [&](Index, Index row) {
        const double weight = classes.weight[row];
        double* const target = moments.of_class[classes.second->has(row)];
        for (Index e = design_.begin(row); e < design_.begin(row + 1); ++e) {
          const double x = design_.value(e), xw = x * weight;
          double* const pair = target + 2 * design_.column(e);
          pair[0] += xw;
          pair[1] += x * xw;
        }
      });
    }

    bool begin_scan(const Columns& columns, const RowTerms&, const Interrupt& interrupt) override {
      by_list_ = columns.list != nullptr;
      first_ = end_ = 0;
      return !by_list_ || fetch(columns, interrupt);
    }

    bool sum(const Columns& panel, const RowTerms& rows, const Sums& sums, const Interrupt& interrupt) override {
      const Index stride = rows.sum_stride();
      if (by_list_)
        column_sums_.resize(std::size_t(stride));
      else if (!sum_columns_around(panel, rows, interrupt))
        return false;
      for (Index c = 0; c < panel.count; ++c) {
        if (by_list_) {
          const Index place = place_of(panel[c]);
          kept().sum(place, rows, column_sums_.data());
        }
        const double* const from = by_list_ ? column_sums_.data() : sums_.data() + (panel[c] - first_) * stride;
        for (Index which = 0; which < rows.sum_count(); ++which) sums.row(which)[c] = from[which];
      }
      return true;
    }

   private:
    static constexpr Index at_once = 1 << 18;    // entries between two checks for an interrupt
    static constexpr Index most_sums = 1 << 21;  // 16 MB

    SparseColumns<double, Index> kept() const noexcept { return kept_.view(design_.rows()); }
    Index place_of(Index column) {
      if (kept_.find(column) < 0) fetch({column, 1, nullptr}, [] { return false; });
      return kept_.find(column);
    }

    // Computes the sums of a panel and of as many following columns as fit into memory, unless they are available already.
    bool sum_columns_around(const Columns& panel, const RowTerms& rows, const Interrupt& interrupt) {
      Index first = design_.columns(), end = 0;
      for (Index c = 0; c < panel.count; ++c) {
        first = std::min(first, panel[c]);
        end = std::max(end, panel[c] + 1);
      }
      if (first >= first_ && end <= end_) return true;
      const Index stride = rows.sum_stride();
      first_ = first;
      end_ = std::min(std::max(end, first + most_sums / stride), design_.columns());
      sums_.assign(std::size_t((end_ - first_) * stride), 0.0);
      const bool all = first_ == 0 && end_ == design_.columns();
      double* const origin = sums_.data();
      const auto add_row = [&](Index place, Index row) {
        const Index begin = all ? design_.begin(row) : design_.find(row, first_);
        const Index past = all ? design_.begin(row + 1) : design_.find(row, end_);
        design_.add_row(begin, past - begin, rows, rows.vectors + place * rows.stride, first_, origin);
      };
      const bool done = for_rows(rows.count, rows.listed ? rows.rows : nullptr, interrupt, add_row);
      if (!done) first_ = end_ = 0;
      return done;
    }

    // Calls visit(place, row) for the listed rows, or for the first ones if the list is null. Returns false if interrupted.
    template <class Visit>
    bool for_rows(Index count, const Index* list, const Interrupt& interrupt, const Visit& visit) const {
      Index entries = at_once;
      for (Index place = 0; place < count; ++place) {
        const Index row = list ? list[place] : place;
        visit(place, row);
        entries -= design_.begin(row + 1) - design_.begin(row) + 1;
        if (entries > 0) continue;
        if (interrupt()) return false;
        entries = at_once;
      }
      return true;
    }

    // Extracts the entries of the missing columns in one pass over all column indices.
    bool pick_out_missing(const Interrupt& interrupt) {
      for (const Index column : missing_) wanted_.add(column);
      found_.clear();
      bool interrupted = false;
      const Index all = design_.begin(design_.rows());
      for (Index begin = 0; begin < all && !interrupted; begin += at_once) {
        constexpr Index stretch = 512;
        Index here[stretch];
        for (Index first = begin; first < std::min(begin + at_once, all); first += stretch) {
          const auto column_of = [this](Index e) { return design_.column(e); };
          const Index count = kernels::find_members(wanted_, first, std::min(first + stretch, all), column_of, here);
          found_.insert(found_.end(), here, here + count);
        }
        interrupted = interrupt();
      }
      for (const Index column : missing_) wanted_.remove(column);
      if (interrupted) return false;
      // They are sorted by row, and are written to their columns in this order.
      const auto slot_of = [&](Index entry) {
        return std::lower_bound(missing_.begin(), missing_.end(), design_.column(entry)) - missing_.begin();
      };
      picked_.numbers = missing_;
      picked_.starts.assign(missing_.size() + 1, 0);
      picked_.rows.resize(found_.size());
      picked_.values.resize(found_.size());
      for (const Index entry : found_) ++picked_.starts[std::size_t(slot_of(entry)) + 1];
      std::partial_sum(picked_.starts.begin(), picked_.starts.end(), picked_.starts.begin());
      next_ = picked_.starts;
      Index row = 0;
      for (const Index entry : found_) {
        while (design_.begin(row + 1) <= entry) ++row;
        const auto at = std::size_t(next_[std::size_t(slot_of(entry))]++);
        picked_.rows[at] = row;
        picked_.values[at] = design_.value(entry);
      }
      return true;
    }

    // Adds the extracted columns to the cache. If the cache is large, others are removed: most are needed again, but X must not
    // be copied as a whole.
    void merge() {
      constexpr Index few = Index(1) << 20;  // 16 MB
      const bool full = kept_.entries() > few + design_.begin(design_.rows()) / 16;
      merged_.clear();
      std::size_t old = 0, fresh = 0;
      while (old < kept_.numbers.size() || fresh < picked_.numbers.size()) {
        const bool from_old =
            fresh == picked_.numbers.size() || (old < kept_.numbers.size() && kept_.numbers[old] < picked_.numbers[fresh]);
        if (!from_old)
          merged_.append(picked_, Index(fresh++));
        else if (!full || std::binary_search(asked_.begin(), asked_.end(), kept_.numbers[old]))
          merged_.append(kept_, Index(old++));
        else
          ++old;
      }
      std::swap(kept_, merged_);
      merged_.clear();
      picked_.clear();
    }

    const SparseRows design_;
    Kept kept_, picked_, merged_;
    std::vector<Index> asked_, missing_, found_, next_;
    IndexSet wanted_;
    bool by_list_ = false;
    Index first_ = 0, end_ = 0;  // columns whose sums are in sums_
    std::vector<double> sums_;   // (columns, sum_stride); a std::vector remains valid if it cannot grow
    std::vector<double> column_sums_;
  };

  Index begin(Index row) const noexcept { return Index(starts_[row]); }
  // Returns the first entry of a row whose column is this or a later one.
  Index find(Index row, Index column) const noexcept {
    const StorageIndex *const from = column_numbers_ + starts_[row], *const end = column_numbers_ + starts_[row + 1];
    return std::lower_bound(from, end, column, [](StorageIndex a, Index b) { return Index(a) < b; }) - column_numbers_;
  }
  Index column(Index entry) const noexcept { return Index(column_numbers_[entry]); }
  double value(Index entry) const noexcept { return double(values_[entry]); }

  void add_row(Index begin, Index count, const RowTerms& rows, const double* vector, Index column,
               double* sums) const noexcept {
    const StorageIndex* const columns = column_numbers_ + begin;
    const Scalar* const values = values_ + begin;
    if (rows.is_narrow()) return kernels::add_narrow_row(columns, values, count, vector, column, sums);
    constexpr int size = Pack::size, first = std::max(1, 4 / size), most = 4;
    static_assert(Sums::square < first * size, "the square is in the first of these packs");
    double of_squares[first * size] = {};
    of_squares[Sums::square] = vector[RowTerms::curvature];
    kernels::add_row<first>(columns, values, count, vector, of_squares, column, rows.stride, sums);
    Index v = first * size;
    for (; v + most * size <= rows.stride; v += most * size)
      kernels::add_row<most>(columns, values, count, vector + v, nullptr, column, rows.stride, sums + v);
    for (; v < rows.stride; v += size)
      kernels::add_row<1>(columns, values, count, vector + v, nullptr, column, rows.stride, sums + v);
  }

  Index rows_, columns_;
  const StorageIndex* starts_;
  const StorageIndex* column_numbers_;
  const Scalar* values_;
};

template <class Object>
explicit SparseRows(const Object&) -> SparseRows<typename Object::Scalar, typename Object::StorageIndex>;

}  // namespace ksparse
