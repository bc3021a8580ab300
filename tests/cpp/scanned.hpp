// A scan's answer in one piece, and when two of them agree.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <ksparse/search/objective.hpp>

/// What a scan says, put together.
struct Scanned final : ksparse::ScanSink {
  Eigen::MatrixXd inverse, cross;
  Eigen::VectorXd gradient, curvature;
  Scanned(ksparse::Index count, ksparse::Index d) : cross(count, d), gradient(count), curvature(count) {}
  void begin_scan(const ksparse::ScanPoint& point) override { inverse = point.inverse; }
  void take_panel(const ksparse::ScanPanel& panel) override {
    const ksparse::Index begin = next_, count = panel.columns.count;
    gradient.segment(begin, count) = panel.gradient.matrix();
    curvature.segment(begin, count) = panel.curvature.matrix();
    cross.middleRows(begin, count) = panel.cross;
    next_ += count;
  }

 private:
  ksparse::Index next_ = 0;
};

inline bool agree(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return a.size() == 0 || (a - b).cwiseAbs().maxCoeff() <= 1e-12 * std::max(1.0, a.cwiseAbs().maxCoeff());
}
