// The library as an object of its own (target ksparse::compiled), for programs that are compiled often: what ksparse.hpp
// declares is defined here once, and in their translation units not at all.
#define KSPARSE_COMPILING
#include <ksparse/ksparse.hpp>

namespace ksparse {

template class BasicColumnView<double>;
template class BasicColumnView<float>;
template class BasicRowView<double>;
template class BasicRowView<float>;
template class ByteColumns<bool>;
template class ByteRows<bool>;
template class ByteColumns<std::uint8_t>;
template class ByteRows<std::uint8_t>;
template class ByteColumns<std::int8_t>;
template class ByteRows<std::int8_t>;
template class SparseColumns<double, std::int32_t>;
template class SparseRows<double, std::int32_t>;
template class SparseColumns<double, std::int64_t>;
template class SparseRows<double, std::int64_t>;
template class SparseColumns<float, std::int32_t>;
template class SparseRows<float, std::int32_t>;
template class SparseColumns<float, std::int64_t>;
template class SparseRows<float, std::int64_t>;

template <>
bool internal::is_compiled_for_alignment<EIGEN_MAX_ALIGN_BYTES>() {
  return true;
}

}  // namespace ksparse
